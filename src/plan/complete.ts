import { explain, UserError } from '../errors.ts';
import { evaluationFailure } from './evaluation/diagnose.ts';
import { extended, type HostRecords, type SourceEvaluation } from './evaluation/source-evaluation.ts';
import type { EvaluationFailure } from './fleet.ts';
import { type EvaluatedHost, portable } from './host.ts';
import type { OpenedSource } from './opened-source.ts';
import { checkNixpkgsPins } from './pins/pin.ts';
import { unwrapToplevel } from './wrapper.ts';

/** An evaluation to which hosts were added, and the hosts whose evaluation failed. */
export interface Completed {
  evaluation: SourceEvaluation;
  failures: EvaluationFailure[];
}

/** Adds the targets and tags of `hosts`, without the rest of their configuration. */
export async function addDeployments(
  hosts: readonly string[],
  evaluation: SourceEvaluation,
  opened: OpenedSource,
): Promise<Completed> {
  opened.source.context.log.info(`Reading the tags of ${hosts.length} hosts.`);
  const results = await opened.evaluate<{ name: string; deployment: unknown }>('deployments', hosts);
  const deployments: HostRecords['deployments'] = {};
  const failures: EvaluationFailure[] = [];
  for (const result of results) {
    if ('answer' in result) deployments[result.host] = portableDeployment(result.answer, opened);
    else failures.push(evaluationFailure(result.host, result.failure, opened.source));
  }
  return { evaluation: extended(evaluation, { deployments }), failures };
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
  const results = await opened.evaluate<EvaluatedHost>('hosts', hosts);
  const evaluated = results.flatMap(result => ('answer' in result ? [result.answer] : []));
  const failed = results.flatMap(result => ('failure' in result ? [result] : []));
  const pins = await checkNixpkgsPins(
    evaluated.flatMap(({ nixpkgs }) => nixpkgs ?? []),
    failed.map(({ failure }) => failure),
    evaluation.main,
    opened.evidence,
  );
  const failures = failed.map(({ host, failure }) => evaluationFailure(host, failure, opened.source));
  const answers: HostRecords['answers'] = {};
  const deployments: HostRecords['deployments'] = {};
  for (const host of evaluated) {
    try {
      const deployment = portableDeployment(host, opened);
      answers[host.name] = { ...(await unwrapToplevel(host, opened.source.nix)), deployment };
      deployments[host.name] = deployment;
    } catch (error) {
      failures.push(hostFailure(host.name, error, evaluation.main));
    }
  }
  return { evaluation: extended(evaluation, { answers, deployments, pins }), failures };
}

/** The failure for an error in what the source defines for a host. @throws `error` if it is not a UserError. */
export function hostFailure(host: string, error: unknown, main: string): EvaluationFailure {
  if (!(error instanceof UserError)) throw error;
  return { host, message: explain(error), trace: '', file: main, line: null, column: null };
}

function portableDeployment({ deployment }: { deployment: unknown }, { source, evidence }: OpenedSource): unknown {
  return portable(deployment, source.folder, evidence.roots);
}
