import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import { attributePath } from './attribute-path.ts';
import { planCache } from './cache/plan-cache.ts';
import { addHosts, addTagged, type Completed, hostFailure } from './complete.ts';
import type { PlanConfig } from './config.ts';
import type { SourceEvaluation } from './evaluation/source-evaluation.ts';
import type { EvaluationFailure, Fleet, Host } from './fleet.ts';
import { formats } from './formats/index.ts';
import { hostOf, readTargets, targetSettingsOf } from './host.ts';
import { logFormat, OpenedSource, sourceOf } from './opened-source.ts';
import { logPins } from './pins/pin.ts';
import { inOrder, needsTags, select, tagSelection } from './select.ts';
import type { TargetSettings } from './targets.ts';

export { checkOut, mergeBase, type Revision } from './checkout.ts';
export type { PlanConfig, PlanSurroundings } from './config.ts';
export { checkHostName } from './host-name.ts';
export { type Located, locate } from './locate.ts';
export { historyOf, repositoryOf } from './repository.ts';
export { select, selectedByName } from './select.ts';
export { overridesOf, parseTargetSettings, targetOf } from './targets.ts';

type Targets = Readonly<Record<string, TargetSettings>>;

/**
 * Plans a fleet: detects the source's format, evaluates the selected hosts and finds out where each of them runs.
 *
 * Every host's derivation is instantiated: its .drv file exists in the store afterwards.
 *
 * @throws UserError for a source that cannot be evaluated as a whole, a selector or target without a host, and a nixpkgs that
 *   is not pinned, unless `nixpkgsPin` is `warn`.
 */
export async function plan(config: PlanConfig, nix: Nix, context: Context): Promise<Fleet> {
  const source = await sourceOf(config, nix, context);
  const cache = await planCache(config, source);
  const tags = config.only === undefined && needsTags(config.hosts);
  const open = once(() => OpenedSource.open(source, config, tags ? 'names' : 'hosts'));
  const cached = (await cache?.read()) ?? null;
  if (cached !== null) logFormat(cached.format, cached.detected, context);
  const known = cached ?? (await open()).evaluation;
  const { only } = config;
  const targets = readTargets(only === undefined ? config.targets : {}, known.names);

  const tagged = tags ? await readTags(known, config.hosts, targets, open) : withoutTags(known);
  const selected =
    only === undefined
      ? select(known.names, config.hosts, host => tagged.tags.get(host) ?? [])
      : known.names.filter(name => only.includes(name));
  const completed = await evaluateMissing(selected, tagged, open, nix);
  if (completed.added) await cache?.write(completed.evaluation, (await open()).evidence);
  const planned = hostsOf(selected, completed, targets, config.source);
  logPlan(completed.evaluation, selected, planned.hosts, context);
  return {
    format: known.format,
    detected: known.detected,
    source: config.source,
    commit: source.repository?.commit ?? null,
    dirty: source.repository?.dirty ?? false,
    names: known.names,
    hosts: inOrder(planned.hosts, formats[known.format].tagOrder?.(known.notes) ?? []),
    failures: planned.failures,
  };
}

/**
 * The final value of an option of one host, as far as JSON can represent it: a function as a word, a derivation as its path.
 *
 * @throws UserError for a host or an option that does not exist, and for a failure of the evaluation.
 */
export async function option(
  config: PlanConfig,
  host: string,
  optionPath: string,
  nix: Nix,
  context: Context,
): Promise<unknown> {
  const opened = await OpenedSource.open(await sourceOf(config, nix, context), config, 'names');
  return opened.option(host, optionPath, attributePath(optionPath));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

interface Tagged extends Completed {
  /** Whether anything was evaluated. */
  added: boolean;
  /** Host → its tags. */
  tags: ReadonlyMap<string, readonly string[]>;
}

function withoutTags(known: SourceEvaluation): Tagged {
  return { evaluation: known, failures: [], tags: new Map(), added: false };
}

/**
 * Each host's tags; the hosts that they select are evaluated at the same time. A host whose tags cannot be evaluated is a
 * failure, since it may have been selected.
 */
async function readTags(
  known: SourceEvaluation,
  selectors: readonly string[],
  targets: Targets,
  open: () => Promise<OpenedSource>,
): Promise<Tagged> {
  const missing = known.names.filter(name => !(name in known.deployments));
  const tagsGiven = (host: string): string[] | null => targets[host]?.tags ?? null;
  const { evaluation, failures } =
    missing.length === 0
      ? withoutTags(known)
      : await addTagged(missing, tagSelection(known.names, selectors, tagsGiven), known, await open());
  const tags = new Map<string, string[]>();
  const wrong: EvaluationFailure[] = [];
  for (const [name, deployment] of Object.entries(evaluation.deployments)) {
    try {
      tags.set(name, targetSettingsOf(deployment, name, targets).tags);
    } catch (error) {
      wrong.push(hostFailure(name, error, evaluation.main));
    }
  }
  return { evaluation, failures: [...failures, ...wrong], tags, added: missing.length > 0 };
}

/** Evaluates those of `hosts` whose derivation is not known, or no longer in the store. */
async function evaluateMissing(
  hosts: readonly string[],
  { evaluation: known, failures, added: tagged }: Tagged,
  open: () => Promise<OpenedSource>,
  nix: Nix,
): Promise<Completed & { added: boolean }> {
  const failed = new Set(failures.map(({ host }) => host));
  const missing = (await withoutDerivation(hosts, known, nix)).filter(host => !failed.has(host));
  if (missing.length === 0) return { evaluation: known, failures, added: tagged };
  const added = await addHosts(missing, known, await open());
  return { evaluation: added.evaluation, failures: [...failures, ...added.failures], added: true };
}

async function withoutDerivation(hosts: readonly string[], known: SourceEvaluation, nix: Nix): Promise<string[]> {
  const drvPathOf = (host: string): string | undefined => known.answers[host]?.drvPath;
  const valid = await nix.valid(hosts.flatMap(host => drvPathOf(host) ?? []));
  return hosts.filter(host => !valid.has(drvPathOf(host) ?? ''));
}

/** The selected hosts of the plan, without those that failed, and the failures with those found here. */
function hostsOf(
  selected: readonly string[],
  { evaluation, failures }: Completed,
  targets: Targets,
  folder: string,
): { hosts: Host[]; failures: EvaluationFailure[] } {
  const hosts: Host[] = [];
  const wrong: EvaluationFailure[] = [];
  for (const name of selected) {
    const evaluated = evaluation.answers[name];
    if (evaluated === undefined || failures.some(({ host }) => host === name)) continue;
    try {
      hosts.push(hostOf(evaluated, evaluation.pins[evaluated.nixpkgs ?? ''] ?? null, targets, folder));
    } catch (error) {
      wrong.push(hostFailure(name, error, evaluation.main));
    }
  }
  return { hosts, failures: [...failures, ...wrong] };
}

/** Masks the text of secrets, and logs settings that are not used and the nixpkgs that the hosts are built from. */
function logPlan(
  { format, names, notes }: SourceEvaluation,
  selected: readonly string[],
  hosts: readonly Host[],
  { log }: Context,
): void {
  for (const { source } of hosts.flatMap(({ secrets }) => secrets))
    if ('text' in source) log.secret(source.text.reveal());
  const notHosts = formats[format].notHosts?.(names, notes) ?? null;
  if (notHosts !== null) log.warning(notHosts);
  for (const host of selected) {
    const leftOut = formats[format].leftOut?.(host, notes) ?? null;
    if (leftOut !== null) log.warning(leftOut, { host });
  }
  logPins(hosts, log);
}
