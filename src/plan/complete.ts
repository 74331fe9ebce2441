import { explain, UserError } from '../errors.ts';
import { evaluationFailure } from './evaluation/diagnose.ts';
import type { Evaluated } from './evaluation/evaluate.ts';
import { extended, type HostRecords, type SourceEvaluation } from './evaluation/source-evaluation.ts';
import type { EvaluationFailure } from './fleet.ts';
import { type EvaluatedHost, portable, type TaggedHost } from './host.ts';
import type { OpenedSource } from './opened-source.ts';
import { checkNixpkgsPins } from './pins/pin.ts';
import type { TagSelection } from './select.ts';
import { unwrapToplevel } from './wrapper.ts';

/** An evaluation to which hosts were added, and the hosts whose evaluation failed. */
export interface Completed {
  evaluation: SourceEvaluation;
  failures: EvaluationFailure[];
}

/**
 * Adds the targets and tags of `hosts`, and the complete evaluation of those that `selection` selects.
 *
 * @throws UserError if a nixpkgs is not pinned, unless `nixpkgs-pin` is `warn`.
 */
export async function addTagged(
  hosts: readonly string[],
  selection: TagSelection,
  evaluation: SourceEvaluation,
  opened: OpenedSource,
): Promise<Completed> {
  opened.source.context.log.info(`Reading the tags of ${hosts.length} hosts.`);
  return added(await opened.evaluateTagged(hosts, selection), evaluation, opened);
}

/**
 * Adds the complete evaluation of `hosts`; the derivations are in the store afterwards.
 *
 * @throws UserError if a nixpkgs is not pinned, unless `nixpkgs-pin` is `warn`.
 */
export async function addHosts(
  hosts: readonly string[],
  evaluation: SourceEvaluation,
  opened: OpenedSource,
): Promise<Completed> {
  return added(await opened.evaluate(hosts), evaluation, opened);
}

async function added(
  results: readonly Evaluated<TaggedHost>[],
  evaluation: SourceEvaluation,
  opened: OpenedSource,
): Promise<Completed> {
  const known = results.flatMap(result => ('answer' in result ? result.answer : (result.before ?? [])));
  const failed = results.flatMap(result => ('failure' in result ? [result] : []));
  const pins = await checkNixpkgsPins(
    known.flatMap(({ nixpkgs }) => nixpkgs ?? []),
    failed.map(({ failure }) => failure),
    evaluation.main,
    opened.evidence,
  );
  const failures = failed.map(({ host, failure }) => evaluationFailure(host, failure, opened.source));
  const answers: HostRecords['answers'] = {};
  const deployments: HostRecords['deployments'] = {};
  for (const host of known) {
    try {
      const deployment = portableDeployment(host, opened);
      if (isWhole(host)) answers[host.name] = { ...(await unwrapToplevel(host, opened.source.nix)), deployment };
      deployments[host.name] = deployment;
    } catch (error) {
      failures.push(hostFailure(host.name, error, evaluation.main));
    }
  }
  return { evaluation: extended(evaluation, { answers, deployments, pins }), failures };
}

function isWhole(host: TaggedHost): host is EvaluatedHost {
  return host.drvPath !== undefined;
}

/** The failure for an error in what the source defines for a host. @throws `error` if it is not a UserError. */
export function hostFailure(host: string, error: unknown, main: string): EvaluationFailure {
  if (!(error instanceof UserError)) throw error;
  return { host, message: explain(error), trace: '', file: main, line: null, column: null };
}

function portableDeployment({ deployment }: { deployment: unknown }, { source, evidence }: OpenedSource): unknown {
  return portable(deployment, source.folder, evidence.roots);
}
