import {
  type ArtifactStore,
  archive,
  fetchArchives,
  importArchive,
  readArchives,
  verifyArchive,
} from './archive/index.ts';
import { build } from './build/index.ts';
import { mapConcurrently } from './concurrency.ts';
import type { CachePort, Context, Stage } from './context.ts';
import { checkAccess, type DeployConfig, type Deployment, deploy, skipped } from './deploy/index.ts';
import { explain, UserError } from './errors.ts';
import type { Config } from './inputs.ts';
import { Nix } from './nix/index.ts';
import { locate, option, type PlanConfig, parseDeployment, plan, select, targetOf } from './plan/index.ts';
import type { Run } from './report/run.ts';
import {
  emulateOther,
  prepareSystems,
  type Setup,
  type SetupConfig,
  type SetupPorts,
  saveStoreCache,
  setup,
} from './setup/index.ts';
import type { Step } from './step.ts';
import { producer } from './version.ts';

/** What only the entry can give: the runner's state, cache and artifacts, or the command line's stand-ins for them. */
export interface Ports {
  setup: SetupPorts;
  /** Whether the machine's own Nix may serve as it is. */
  daemon: SetupConfig['daemon'];
  /** Null: archives stay where they are. */
  artifacts: ArtifactStore | null;
  /** Where archives are written. */
  archives: string;
  /** Where plans of earlier runs are kept: a directory, or the Actions cache; null: nowhere. */
  planCache: string | CachePort | null;
  /** `owner/name`; null outside of a run of GitHub's. */
  repository: string | null;
  /** Address of the run; null likewise. */
  run: string | null;
  /** Who deploys, for the target's journal. */
  who: string;
  environment: Readonly<Record<string, string | undefined>>;
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
 * Walks through the stages of a step, in their order, and tells all that was found and done.
 *
 * Never throws: what ends the run before its time stands in the answer's `error`, beside what is true until then.
 */
export async function run(step: Step, config: Config, ports: Ports, context: Context): Promise<Run> {
  const run: Run = { mode: config.mode, fleet: null, built: [], archives: [], outcomes: [], timings: {}, error: null };
  const stages = stagesFor(step, config);
  const { rooms, saved } = walk(step, config, ports, context, run);
  try {
    // What can be known to be wrong is said before Nix is even looked for.
    if (stages.includes('plan')) locate(config.source);
    checkAccess(deployConfigOf(config, ports), null);
    for (const stage of stages) {
      const begun = performance.now();
      try {
        await rooms[stage]();
      } finally {
        run.timings[stage] = (performance.now() - begun) / 1000;
      }
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    run.error = {
      message: context.signal.aborted ? 'The run was cancelled.' : message,
      cure: error instanceof UserError ? (error.cure ?? null) : null,
      where: error instanceof UserError ? (error.where ?? null) : null,
    };
    context.log.error(explain(error), error instanceof UserError ? error.where : undefined);
    // A defect of ours, or a program that failed in a way we do not know: the stack tells where.
    if (!(error instanceof UserError) && error instanceof Error) context.log.debug(error.stack ?? '');
  }
  await saved();
  return run;
}

/** The stages of a step that its inputs ask for; archives that are there already take the place of a source. */
function stagesFor(step: Step, config: Config): Exclude<Stage, 'report'>[] {
  const stages =
    config.from === null
      ? stagesOf[step].filter(stage => stage !== 'archive' || config.archive !== 'none')
      : (['setup', 'archive', 'deploy'] as const);
  return stages.filter(stage => stage !== 'deploy' || config.mode !== 'none');
}

/**
 * The final value of an option of one host, as JSON can tell it.
 *
 * @throws UserError for a host or an option that does not exist.
 */
export async function optionOf(
  host: string,
  path: string,
  config: Config,
  ports: Ports,
  context: Context,
): Promise<unknown> {
  locate(config.source);
  const { nix } = await setup(setupConfigOf(config, ports), context, ports.setup);
  return option({ ...planConfigOf(config, ports), planCache: null }, host, path, new Nix(context.exec, nix), context);
}

/**
 * The stages over what they hand on: each reads what the one before it left in `run`. What is kept for later runs is saved
 * beside the stages that follow; `saved` waits for it.
 */
function walk(
  step: Step,
  config: Config,
  ports: Ports,
  context: Context,
  run: Run,
): { rooms: Record<Exclude<Stage, 'report'>, () => Promise<void>>; saved: () => Promise<void> } {
  let setUp: Setup | undefined;
  const nix = (): Nix => {
    if (setUp === undefined) throw new Error('the set-up comes first');
    return new Nix(context.exec, setUp.nix);
  };
  let deployments: Deployment[] = [];
  const saving: Promise<void>[] = [];
  const rooms = {
    async setup() {
      setUp = await setup(setupConfigOf(config, ports), context, ports.setup);
      // As a step of its own it is followed by no plan that would tell what is needed.
      if (step === 'setup' && config.emulate === 'always') setUp = await emulateOther(setUp, context, ports.setup);
    },
    async plan() {
      const planCache = planCacheOf(config, ports, work => saving.push(work));
      run.fleet = await plan({ ...planConfigOf(config, ports), planCache }, nix(), context);
      checkAccess(deployConfigOf(config, ports), run.fleet.hosts);
    },
    async build() {
      if (run.fleet === null || setUp === undefined) return;
      const hosts = run.fleet.hosts.map(({ name, system, toplevel }) => ({ name, system, drvPath: toplevel.drvPath }));
      const toBuild = { hosts, lock: JSON.stringify(run.fleet.hosts.map(host => host.nixpkgs)) };
      setUp = await prepareSystems(setUp, toBuild, context, ports.setup);
      run.built = await build(run.fleet, nix(), context);
      const toplevels = run.built.flatMap(built => (built.ok ? [built.toplevel] : []));
      saving.push(saveStoreCache(setUp, toBuild, toplevels, context, ports.setup));
      const { commit } = run.fleet;
      deployments = run.built.flatMap(built => deploymentOf(built, commit));
    },
    async archive() {
      if (config.from !== null) {
        deployments = await deploymentsFrom(config.from, config, ports, nix(), context, run);
        checkAccess(deployConfigOf(config, ports), deployments);
        return;
      }
      const { repository, run: address } = ports;
      run.archives = await archive(
        run.built,
        {
          kind: config.archive,
          directory: ports.archives,
          signingKey: config['signing-key'],
          includeSource: config['include-source'],
          source: run.fleet?.source ?? null,
          provenance: { commit: run.fleet?.commit ?? null, repository, run: address, producer },
        },
        nix(),
        context,
        ports.artifacts,
      );
    },
    async deploy() {
      run.outcomes = await deploy(deployments, deployConfigOf(config, ports), nix(), context);
      for (const built of run.built) {
        if (built.ok) continue;
        run.outcomes.push(skipped(built.host.name, config.mode, 'It was not built; the target was not changed.'));
      }
    },
  };
  return { rooms, saved: async () => void (await Promise.all(saving)) };
}

/** What the set-up needs of the inputs. */
export function setupConfigOf(config: Config, ports: Ports): SetupConfig {
  return {
    nixVersion: config['nix-version'],
    nixSource: config['nix-source'],
    daemon: ports.daemon,
    nixConf: config['nix-conf'],
    emulate: config.emulate,
    qemu: config.qemu,
    builders: config.builders,
    cache: config.cache,
    githubToken: config['github-token'],
    signingKey: config['signing-key'],
    environment: ports.environment,
  };
}

function planConfigOf(config: Config, ports: Ports): Omit<PlanConfig, 'planCache'> {
  return {
    ...locate(config.source),
    format: config.format,
    attribute: config.attribute,
    arguments: config.arguments,
    hosts: config.hosts,
    targets: config.targets,
    nixpkgs: config.nixpkgs,
    nixpkgsPin: config['nixpkgs-pin'],
    system: config.system,
    nixPath: ports.environment.NIX_PATH ?? null,
  };
}

/** In the Actions cache only what holders of the signing key made counts, as for the store cache. */
function planCacheOf(
  config: Config,
  { planCache }: Ports,
  beside: (work: Promise<void>) => void,
): PlanConfig['planCache'] {
  if (planCache === null || typeof planCache === 'string') return planCache;
  const secret = config['signing-key'];
  // A kept plan brings no nixpkgs, which `include-source` wants in the store.
  if (secret === null || config.cache === 'never' || config['include-source']) return null;
  return { port: planCache, secret, beside };
}

function deployConfigOf(config: Config, ports: Ports): DeployConfig {
  return {
    mode: config.mode,
    deployKey: config['deploy-key'],
    knownHosts: config['known-hosts'],
    parallel: config.parallel,
    canary: config.canary,
    maxFailures: config['max-failures'],
    confirmTimeout: config['confirm-timeout'],
    healthTimeout: config['health-timeout'],
    who: ports.who,
    run: ports.run,
  };
}

function deploymentOf(built: Run['built'][number], commit: string | null): Deployment[] {
  if (!built.ok) return [];
  const { name, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets } = built.host;
  const { toplevel, closureBytes } = built;
  const closure = { from: 'store' } as const;
  return [
    {
      host: name,
      system,
      toplevel,
      commit,
      target,
      buildOnly,
      tags,
      closure,
      closureBytes,
      healthChecks,
      preDeployChecks,
      secrets,
    },
  ];
}

/** Takes archives instead of a source: no evaluator, no repository; where each host runs is said by `targets`. */
async function deploymentsFrom(
  from: NonNullable<Config['from']>,
  config: Config,
  ports: Ports,
  nix: Nix,
  context: Context,
  run: Run,
): Promise<Deployment[]> {
  const none = { cmd: [], http: [] };
  // Names are asked for by name; what only selects is held against all that there are.
  const named = config.hosts.length > 0 && config.hosts.every(host => !/[*?@!]/.test(host)) ? config.hosts : null;
  const read =
    'directory' in from
      ? await readArchives(from.directory, context)
      : await fetchArchives(named, from.run, ports.archives, artifactsOf(ports));
  const chosen = new Set(
    select(
      read.map(({ host }) => host),
      config.hosts,
      () => [],
    ),
  );
  const archives = read.filter(({ host }) => chosen.has(host));
  await mapConcurrently(archives, 4, ({ directory }) =>
    verifyArchive(directory, config['trusted-public-keys'], nix, context),
  );
  run.archives = archives;
  for (const one of archives) if (one.kind === 'delta') await importArchive(one, nix, context);
  return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => ({
    ...{ host, system, toplevel, commit: manifest.commit, closureBytes, buildOnly: false, tags: [] },
    target: host in config.targets ? targetOf(parseDeployment(config.targets[host], `targets.${host}`)) : null,
    closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
    ...{ healthChecks: none, preDeployChecks: none, secrets: [] },
  }));
}

function artifactsOf(ports: Ports): ArtifactStore {
  if (ports.artifacts !== null) return ports.artifacts;
  throw new UserError('Artifacts can be had only in a run of GitHub Actions.', {
    where: { input: 'from' },
    cure: 'Download and unzip the artifact, and name its folder.',
  });
}
