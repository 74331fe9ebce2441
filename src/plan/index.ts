import { join, relative } from 'node:path';
import type { Context } from '../context.ts';
import { explain, UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { type Adapter, ask, type NixFailure, type Question } from './adapter.ts';
import { lookBehind } from './behind.ts';
import { planCache } from './cache.ts';
import type { PlanConfig } from './config.ts';
import { evaluationFailure, sourceFailure } from './diagnose.ts';
import { evaluate } from './evaluate.ts';
import type { EvaluationFailure, Fleet, Host } from './fleet.ts';
import { type Repository, repositoryOf } from './git.ts';
import { type Answer, deploymentOf, hostOf, portable, readTargets, unknownHost } from './host.ts';
import { type Knowledge, nothingKnown } from './knowledge.ts';
import { withNixpkgs } from './nixpkgs.ts';
import { type Evidence, ownFiles, pinError, pinOf, problemsIn, tellPins, warnOf } from './pins.ts';
import { inOrder, needsTags, select } from './select.ts';
import { attributePath, sourceOf } from './source.ts';

export type { PlanConfig, PlanSurroundings } from './config.ts';
export { type Located, locate } from './locate.ts';
export { select } from './select.ts';
export { parseDeployment, targetOf } from './targets.ts';

/** What is asked of a host when only its target and tags matter. */
interface Said {
  name: string;
  deployment: unknown;
}

/** A source that can be asked for its hosts. */
interface Opened {
  adapter: Adapter;
  knowledge: Knowledge;
  evidence: Evidence & { files: Set<string> };
}

/**
 * Plans a fleet: finds the source's format, evaluates the selected hosts and says where each runs.
 *
 * Every host's derivation is instantiated: its .drv file exists in the store afterwards.
 *
 * @throws UserError for a source that cannot be read as a whole, a selector or target that meets no host, and a nixpkgs
 *   that isn't pinned, unless `nixpkgsPin` is `warn`.
 */
export async function plan(config: PlanConfig, nix: Nix, context: Context): Promise<Fleet> {
  const repository = await repositoryOf(config.source, context.query);
  const cache = await planCache(config, repository, nix, context);
  const kept = (await cache?.read()) ?? null;
  let opening: Promise<Opened> | null = null;
  const opened = (): Promise<Opened> => {
    opening ??= open(config, repository, nix, context);
    return opening;
  };
  const known = kept ?? (await opened()).knowledge;
  const given = readTargets(config.targets, known.names);

  const failures: EvaluationFailure[] = [];
  const tags = new Map<string, string[]>();
  if (needsTags(config.hosts)) {
    const missing = known.names.filter(name => !(name in known.deployments));
    if (missing.length > 0) {
      const source = await opened();
      for (const one of await askFor<Said>('deployments', missing, source, config, nix, context)) {
        if ('answer' in one)
          known.deployments[one.host] = portable(one.answer.deployment, config.source, source.evidence.roots);
        // Nobody can say whether it was meant.
        else failures.push(evaluationFailure(one.host, one.failure));
      }
    }
    for (const name of Object.keys(known.deployments)) {
      try {
        tags.set(name, deploymentOf(known.deployments[name], name, given).tags);
      } catch (error) {
        failures.push(failureOf(name, error, known.main));
      }
    }
  }
  const selected = select(known.names, config.hosts, host => tags.get(host) ?? []);

  const valid = await nix.valid(selected.flatMap(host => known.answers[host]?.drvPath ?? []));
  const missing = selected.filter(
    host => !valid.has(known.answers[host]?.drvPath ?? '') && !failures.some(failure => failure.host === host),
  );
  if (missing.length > 0) {
    const source = await opened();
    const hosts = await askFor<Answer>('hosts', missing, source, config, nix, context);
    const answers = hosts.flatMap(one => ('answer' in one ? [one.answer] : []));
    const failed = hosts.flatMap(one => ('failure' in one ? [one] : []));
    const pins = await checkPins(
      known.main,
      answers,
      failed.map(({ failure }) => failure),
      source.evidence,
      config,
      nix,
      context,
    );
    Object.assign(known.pins, pins);
    for (const { host, failure } of failed) failures.push(evaluationFailure(host, failure));
    for (const answer of answers) {
      try {
        const deployment = portable(answer.deployment, config.source, source.evidence.roots);
        known.answers[answer.name] = { ...(await lookBehind(answer, nix)), deployment };
        known.deployments[answer.name] = deployment;
      } catch (error) {
        failures.push(failureOf(answer.name, error, known.main));
      }
    }
    await cache?.write(known, source.evidence);
  }
  const hosts: Host[] = [];
  for (const name of selected) {
    const answer = known.answers[name];
    if (answer === undefined || failures.some(({ host }) => host === name)) continue;
    try {
      hosts.push(hostOf(answer, given, known.pins[answer.nixpkgs ?? ''] ?? null, config.source, context));
    } catch (error) {
      failures.push(failureOf(name, error, known.main));
    }
  }
  warnOfOtherProfiles(known, selected, context);
  if (known.detected !== null) context.log.info(`The source is ${known.format}: ${known.detected}.`);
  tellPins(hosts, context);
  return {
    format: known.format,
    detected: known.detected,
    source: config.source,
    commit: repository?.commit ?? null,
    dirty: repository?.dirty ?? false,
    hosts: inOrder(hosts, orderOf(known)),
    failures,
  };
}

/**
 * The final value of an option of one host, as JSON can tell it: functions as a word, derivations as their path.
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
  const repository = await repositoryOf(config.source, context.query);
  const { adapter, knowledge } = await open(config, repository, nix, context);
  if (!knowledge.names.includes(host)) throw unknownHost(host, knowledge.names, 'host');
  const path = attributePath(optionPath);
  const { result, failure } = await ask(adapter, 'option', { hosts: [host], option: path }, nix, context);
  if (failure !== null) throw readable(failure, knowledge.main, config, repository);
  const answer = result as { found: boolean; value: unknown; known: string[] | null; missing: string | null };
  if (answer.found) return answer.value;
  if (answer.known === null) {
    throw new UserError(`${JSON.stringify(host)} is given as a derivation, which knows no options.`, {
      where: { host },
      cure: 'Name the whole evaluation instead of its toplevel.',
    });
  }
  throw unknownOption(optionPath, answer.missing ?? '', answer.known, host);
}

async function open(config: PlanConfig, repository: Repository | null, nix: Nix, context: Context): Promise<Opened> {
  const base = repository?.root ?? config.source;
  const inBase = (main: string): string => relative(base, join(config.source, main));
  const onFailure = (failure: NixFailure, main: string): Error => readable(failure, inBase(main), config, repository);
  const source = await sourceOf(config, repository, nix, context, onFailure);
  const { adapter, files } = await withNixpkgs(source, config, nix, context, onFailure);
  const told = await ask(adapter, 'names', { hosts: [] }, nix, context);
  const { result, failure } = told;
  if (failure !== null) throw onFailure(failure, source.main);
  const { names, root, notes } = result as { names: string[]; root: string; notes: Record<string, unknown> };
  const { format, detected, main } = source;
  const roots = [...new Set([...adapter.roots, root])];
  return {
    adapter: { ...adapter, roots },
    knowledge: { format, detected, main: inBase(main), names, notes, ...nothingKnown() },
    evidence: {
      base,
      source: config.source,
      repository,
      roots,
      files: new Set([...files, ...told.files]),
      given: config.nixpkgs,
    },
  };
}

async function askFor<T extends { name: string }>(
  question: Question,
  hosts: readonly string[],
  { adapter, knowledge, evidence }: Opened,
  config: PlanConfig,
  nix: Nix,
  context: Context,
) {
  const budget = { jobs: config.jobs ?? null, memory: config.memory ?? null };
  const onSource = (failure: NixFailure): Error => readable(failure, knowledge.main, config, evidence.repository);
  const evaluation = await evaluate<T>(adapter, question, hosts, budget, nix, context, onSource);
  for (const file of evaluation.files) evidence.files.add(file);
  return evaluation.hosts;
}

/** How each nixpkgs is fixed; what isn't is an error, or a warning where `nixpkgs-pin` says so. */
async function checkPins(
  main: string,
  answers: readonly Answer[],
  failures: readonly NixFailure[],
  evidence: Evidence,
  config: PlanConfig,
  nix: Nix,
  context: Context,
): Promise<Knowledge['pins']> {
  const warn = config.nixpkgsPin === 'warn';
  const problems = problemsIn(evidence, failures, main, warn);
  const pins: Knowledge['pins'] = {};
  for (const path of new Set(answers.flatMap(({ nixpkgs }) => nixpkgs ?? []))) {
    const pin = await pinOf(path, evidence, nix);
    if (pin !== null) pins[path] = pin;
    else if (problems.length === 0) {
      problems.push({
        what: `the nixpkgs at ${path}, whose hash stands nowhere in the repository`,
        file: ownFiles(evidence)[0] ?? null,
        line: 1,
        cure: 'Fetch it by its hash: a flake, npins, niv, or `fetchTarball` with `sha256`.',
      });
    }
  }
  if (problems.length > 0 && !warn) throw pinError(problems);
  warnOf(problems, context);
  return pins;
}

/** A failure of the source as a whole. What isn't pinned is told instead of it: it mostly is its cause. */
function readable(failure: NixFailure, main: string, config: PlanConfig, repository: Repository | null): Error {
  if (config.nixpkgsPin === 'error') {
    const base = repository?.root ?? config.source;
    const { roots, files } = failure;
    const evidence = { base, source: config.source, repository, roots, files, given: config.nixpkgs };
    const problems = problemsIn(evidence, [failure], main, false);
    if (problems.length > 0) return pinError(problems);
  }
  return sourceFailure(failure, { file: main });
}

/** What a host's own description has wrong, as its failure. @throws what is no UserError. */
function failureOf(host: string, error: unknown, main: string): EvaluationFailure {
  if (!(error instanceof UserError)) throw error;
  return { host, message: explain(error), trace: '', file: main, line: null, column: null };
}

function unknownOption(path: string, missing: string, known: readonly string[], host: string): UserError {
  const listed = known.length > 12 ? `${known.slice(0, 12).join(', ')}, …` : known.join(', ');
  return new UserError(`${JSON.stringify(host)} has no option ${path}: there is no ${JSON.stringify(missing)}.`, {
    where: { host },
    cure: known.length === 0 ? 'What stands before it is a value.' : `There are ${listed}.`,
  });
}

/** The tags by which a morph network wants its hosts in order. */
function orderOf({ format, notes: { order } }: Knowledge): string[] {
  return format === 'morph' && Array.isArray(order) ? order.filter(tag => typeof tag === 'string') : [];
}

/** deploy-rs deploys further profiles; they are no NixOS systems, and are left alone by name. */
function warnOfOtherProfiles({ format, notes }: Knowledge, selected: readonly string[], context: Context): void {
  if (format !== 'deploy-rs') return;
  for (const host of selected) {
    const others = notes[host];
    if (!Array.isArray(others) || others.length === 0) continue;
    context.log.warning(
      `${JSON.stringify(host)} has further profiles, ${others.join(', ')}, which are no NixOS systems: they are not deployed.`,
      { host },
    );
  }
}
