import { type Archive, type ArchiveStores, archive, takeArchives } from './archive/index.ts';
import { type Compared, checkBase } from './base.ts';
import type { Built } from './build/built.ts';
import { build } from './build/index.ts';
import type { CachePort, Context, Stage } from './context.ts';
import {
  checkKeys,
  checkKnownHosts,
  checkSecrets,
  checkTargets,
  type Deployer,
  type Deployment,
  deploy,
  deploymentsOfArchives,
  deploymentsOfBuilt,
  deploymentsOfPlan,
  type Origin,
  outcomesOfUnbuilt,
} from './deploy/index.ts';
import type { Outcome } from './deploy/outcome.ts';
import { explain, UserError } from './errors.ts';
import type { PullRequest } from './event.ts';
import { withStallLimit } from './exec.ts';
import type { Config } from './inputs.ts';
import { Nix } from './nix/index.ts';
import type { Fleet, Target } from './plan/fleet.ts';
import { historyOf, locate, option, type PlanConfig, parseTargetSettings, plan, targetOf } from './plan/index.ts';
import { changesSincePreview, type Preview } from './preview/index.ts';
import { previewAll } from './preview-run.ts';
import type { Previewed } from './report/previewed.ts';
import type { Run } from './report/run.ts';
import { checkPreviewed } from './require-preview.ts';
import { Saving } from './saving.ts';
import {
  type CachedFleet,
  emulateOther,
  nixAsRoot,
  prepareSystems,
  type Setup,
  type SetupPorts,
  type SetupSurroundings,
  saveStoreCache,
  setup,
} from './setup/index.ts';
import type { Step } from './step.ts';
import { explainStall, inTime } from './time-limits.ts';
import { Timeline } from './timeline.ts';
import { producer } from './version.ts';

/** Provided by the entry: the runner's state, cache and artifacts, or their replacements on the command line. */
export interface Ports {
  setup: SetupPorts;
  machine: SetupSurroundings;
  archives: ArchiveStores;
  /** Where plans of earlier runs are kept: a directory, or the Actions cache; null: nowhere. */
  planCache: string | CachePort | null;
  /** `owner/name`; null outside of GitHub Actions. */
  repository: string | null;
  /** Null: the one that Git has checked out. */
  branch: string | null;
  /** The pull request that this run is for; null if there is none. */
  pull: PullRequest | null;
  /** Finds what the pull request of this commit has previewed; null: there is nobody to ask. */
  previewed: (() => Promise<Previewed>) | null;
  deployer: Deployer;
}

/** The arguments of a run. */
interface RunRequest {
  step: Step;
  config: Config;
  ports: Ports;
  context: Context;
}

/** How far each step goes. */
const stagesOf: Record<Step, readonly Exclude<Stage, 'report'>[]> = {
  setup: ['setup'],
  plan: ['setup', 'plan'],
  build: ['setup', 'plan', 'build'],
  archive: ['setup', 'plan', 'build', 'archive'],
  deploy: ['setup', 'plan', 'build', 'deploy'],
  run: ['setup', 'plan', 'build', 'archive', 'deploy'],
};

/**
 * Runs the stages of a step and returns their results.
 *
 * Never throws: an error that ends the run early is `error` in the result, next to the results until then.
 */
export async function run(step: Step, config: Config, ports: Ports, surroundings: Context): Promise<Run> {
  const timeline = new Timeline();
  const context = timeline.watch(limited(surroundings, config));
  const run: Run = {
    ...{ mode: config.deploy.mode, fleet: null, built: [], archives: [], previews: [], previewed: null, outcomes: [] },
    ...{ work: null, timings: {}, timeline: [], address: ports.deployer.run, error: null },
  };
  const saving = new Saving();
  try {
    checkKeys(config.deploy);
    checkBase(config, ports.pull);
    checkKnownHosts({ ...config.deploy, ...ports.deployer }, givenTargets(config));
    const request = { step, config, ports, context };
    if (config.fetch.from === null) await fromSource(request, run, saving);
    else await fromArchives(config.fetch.from, request, run);
  } catch (error) {
    run.error = endedBy(error, context);
  }
  await saving.ended();
  run.timeline = timeline.spans();
  return run;
}

/** The targets of the input `targets`, all of which will be deployed to; none if `hosts` selects some of them. */
function givenTargets({ plan: { hosts, targets }, fetch }: Config): Target[] {
  if (hosts.length > 0 || fetch.from !== null) return [];
  return Object.entries(targets).flatMap(([host, value]) => targetOf(parseTargetSettings(value, host)) ?? []);
}

/** Setup → Fleet → Built[] → Archive[] → Outcome[], as far as the step goes. */
async function fromSource(request: RunRequest, run: Run, saving: Saving): Promise<void> {
  const { step, config, ports, context } = request;
  const stages = stagesOf[step];
  // An invalid `source` is reported before Nix is looked for.
  const source = stages.includes('plan') ? locate(config.plan.source) : null;

  const setUp = await timed(run, 'setup', context, () => setUpFor(request));
  if (source === null) return;

  const planConfig = { ...config.plan, ...source, ...planSurroundings(config, ports, saving) };
  const fleet = await timed(run, 'plan', context, () =>
    inTime(context, 'plan-timeout', config.plan.planTimeout, limited =>
      plan(planConfig, nixOf(setUp, limited), limited),
    ),
  );
  run.fleet = fleet;
  const planned = fleet.hosts.map(host => ({ ...host, host: host.name }));
  checkTargets({ ...config.deploy, ...ports.deployer }, planned);
  checkSecrets(planned, { ...config.deploy, ...ports.deployer });
  if (config.deploy.mode === 'secrets') {
    const deployments = deploymentsOfPlan(fleet.hosts, await originOf(fleet, ports, context));
    run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nixOf(setUp, context)));
    return;
  }
  if (!stages.includes('build')) return;

  const toBuild = cachedFleet(fleet);
  const [{ built, work }, prepared] = await timed(run, 'build', context, async () => {
    const prepared = await prepareSystems(setUp, toBuild, context, ports.setup);
    return [await build(fleet, config.build, nixOf(prepared, context), context), prepared] as const;
  });
  run.built = built;
  run.work = work;
  saving.add(saveStoreCache(prepared, toBuild, toplevelsOf(built), context, ports.setup));

  const nix = nixOf(prepared, context);
  const origin = await originOf(fleet, ports, context);
  if (stages.includes('archive') && config.archive.archive !== 'none') {
    const from = { source: fleet.source, origin };
    run.archives = await timed(run, 'archive', context, () => archiveAll(built, from, nix, request));
  }
  if (stages.includes('deploy') && config.deploy.mode === 'preview') {
    const compared = { fleet, planConfig: { ...planConfig, planCache: null }, pull: ports.pull };
    run.previews = await timed(run, 'preview', context, () => previewOf(built, compared, prepared, request));
  } else if (stages.includes('deploy') && config.deploy.mode !== 'none') {
    const deployments = deploymentsOfBuilt(built, origin);
    await recallPreview(deployments, nix, request, run);
    const outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
    run.outcomes = [...outcomes, ...outcomesOfUnbuilt(built, config.deploy.mode)];
  }
}

function archiveAll(
  built: Built[],
  { source, origin }: { source: string; origin: Origin },
  nix: Nix,
  { config, ports, context }: RunRequest,
): Promise<Archive[]> {
  const { directory, artifacts } = ports.archives;
  const provenance = { ...origin, run: ports.deployer.run, producer };
  return archive(built, { ...config.archive, directory, source, provenance }, nix, context, artifacts);
}

function previewOf(
  built: readonly Built[],
  compared: Compared,
  prepared: Setup,
  { config, ports, context }: RunRequest,
): Promise<Preview[]> {
  const { cache: _, ...setupPorts } = ports.setup;
  const nixFor = async (base: Fleet, limited: Context): Promise<Nix> =>
    nixOf(await prepareSystems(prepared, cachedFleet(base), limited, setupPorts), limited);
  const deploy = { ...config.deploy, ...ports.deployer };
  return previewAll(built, compared, { ...config, deploy }, { nixFor, context });
}

/** Setup → Archive[] → Outcome[]: existing archives take the place of a source. */
async function fromArchives(from: NonNullable<Config['fetch']['from']>, request: RunRequest, run: Run): Promise<void> {
  const { config, ports, context } = request;
  if (config.deploy.mode === 'secrets') {
    throw new UserError('Archives contain no secrets.', {
      where: { input: 'from' },
      cure: 'Leave out `from`, so that the secrets of the source are sent.',
    });
  }
  const setUp = await timed(run, 'setup', context, () => setUpFor(request));
  const nix = nixOf(setUp, context);
  const importing = (args: readonly string[]): Promise<void> => nixAsRoot(setUp, args, context);
  const archives = await timed(run, 'archive', context, () =>
    takeArchives(from, config.fetch, ports.archives, { nix, importing }, context),
  );
  run.archives = archives;
  const deployments = deploymentsOfArchives(archives, config.fetch.targets);
  checkTargets({ ...config.deploy, ...ports.deployer }, deployments);
  if (config.deploy.mode !== 'none') {
    await recallPreview(deployments, nix, request, run);
    run.outcomes = await timed(run, 'deploy', context, () => deployAll(deployments, request, nix));
  }
}

/** Before a deployment that changes targets, compares it with what its pull request has shown, if an input asks for that. */
async function recallPreview(
  deployments: readonly Deployment[],
  nix: Nix,
  { config: { deploy, report }, ports, context }: RunRequest,
  run: Run,
): Promise<void> {
  const required = deploy.requirePreview;
  if (deploy.mode === 'dry-activate' || !(required || report.comment)) return;
  const toplevels = deployments.map(({ host, toplevel }) => [host, toplevel] as const);
  await checkPreviewed({ toplevels, required }, ports.previewed, context, async (found, differing) => {
    run.previewed = { ...found, changes: await changesSincePreview(differing, nix, context) };
  });
}

/**
 * The final value of an option of one host, as far as JSON can express it.
 *
 * @throws UserError for a host or an option that does not exist.
 */
export async function optionOf(
  host: string,
  path: string,
  config: Config,
  ports: Ports,
  surroundings: Context,
): Promise<unknown> {
  const context = limited(surroundings, config);
  const source = locate(config.plan.source);
  const setUp = await setup({ ...config.setup, ...ports.machine, builds: false }, context, ports.setup);
  const planConfig = { ...config.plan, ...source, nixPath: nixPathOf(ports), planCache: null };
  return option(planConfig, host, path, nixOf(setUp, context), context);
}

/** The context of a run, in which no command may be silent for longer than `stall-timeout`. */
function limited(context: Context, { setup: { stallTimeout } }: Config): Context {
  return { ...context, exec: withStallLimit(context.exec, stallTimeout * 1000) };
}

/** Does the work of a stage, shows that it runs, and records its duration in seconds, even if it throws. */
async function timed<T>(run: Run, stage: Stage, context: Context, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  context.progress({ stage, state: 'running' });
  try {
    return await work();
  } catch (error) {
    throw explainStall(error, stage);
  } finally {
    run.timings[stage] = (performance.now() - started) / 1000;
    context.progress({ stage, state: 'done' });
  }
}

async function setUpFor({ step, config, ports, context }: RunRequest): Promise<Setup> {
  const builds = step !== 'plan';
  const setUp = await setup({ ...config.setup, ...ports.machine, builds }, context, ports.setup);
  // If the set-up is a separate step, no plan follows that shows which systems are needed.
  const emulates = step === 'setup' && config.setup.emulate === 'always';
  return emulates ? emulateOther(setUp, context, ports.setup) : setUp;
}

function nixOf(setUp: Setup, context: Context): Nix {
  return new Nix(context, setUp.nix);
}

function planSurroundings(config: Config, ports: Ports, saving: Saving): Pick<PlanConfig, 'nixPath' | 'planCache'> {
  const nixPath = nixPathOf(ports);
  const { planCache: port } = ports;
  if (port === null || typeof port === 'string') return { nixPath, planCache: port };
  // As in the store cache, plans in the Actions cache are authenticated with the signing key.
  const { cache, signingKey: secret } = config.setup;
  // A cached plan does not add nixpkgs to the store, but `include-source` needs it there.
  if (secret === null || cache === 'never' || config.archive.includeSource) return { nixPath, planCache: null };
  return { nixPath, planCache: { port, secret, runInBackground: work => saving.add(work) } };
}

function nixPathOf({ machine }: Ports): string | null {
  return machine.environment.NIX_PATH ?? null;
}

function cachedFleet({ hosts }: Fleet): CachedFleet {
  return {
    hosts: hosts.map(({ name, system, toplevel }) => ({ name, system, drvPath: toplevel.drvPath })),
    lock: JSON.stringify(hosts.map(host => host.nixpkgs)),
  };
}

function toplevelsOf(built: readonly Built[]): string[] {
  return built.flatMap(one => (one.ok ? [one.toplevel] : []));
}

async function originOf({ commit, source }: Fleet, { repository, branch }: Ports, context: Context): Promise<Origin> {
  const history = await historyOf(source, context.query);
  return {
    commit,
    repository: repository ?? history.remote,
    branch: branch ?? history.branch,
    committed: history.committed,
  };
}

function deployAll(
  deployments: readonly Deployment[],
  { config, ports, context }: RunRequest,
  nix: Nix,
): Promise<Outcome[]> {
  return deploy(deployments, { ...config.deploy, ...ports.deployer }, nix, context);
}

/** Logs what ended the run and describes it for the report. */
function endedBy(error: unknown, context: Context): NonNullable<Run['error']> {
  const known = error instanceof UserError ? error : null;
  context.log.error(explain(error), known?.where);
  // An internal error, or a program that failed in an unknown way: the stack says where.
  if (known === null && error instanceof Error) context.log.debug(error.stack ?? '');
  const message = error instanceof Error ? error.message : String(error);
  return {
    message: context.signal.aborted ? 'The run was cancelled.' : message,
    cure: known?.cure ?? null,
    where: known?.where ?? null,
  };
}
