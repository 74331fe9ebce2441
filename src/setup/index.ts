import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { systemsOf } from '../nix/derivation.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { publicKeyOf } from '../nix/sign.ts';
import { type Builder, parseBuilders } from './builders.ts';
import { clientConf, daemonConf, type Settings, tokensConf, tokensFile } from './conf.ts';
import type { Run, SetupConfig, SetupPorts } from './config.ts';
import { socketOf, startDaemon } from './daemon.ts';
import { emulate } from './emulation.ts';
import type { FoundNix } from './find.ts';
import { findOrInstall } from './install.ts';
import { machineNix } from './machine.ts';
import { proveSandbox } from './probe.ts';
import { parseVersion } from './release.ts';
import { checkBuilders, writeBuilders } from './remote.ts';
import { asRoot } from './root.ts';
import { newRun } from './run.ts';
import { type NixConf, parseNixConf, settingNames } from './settings.ts';
import { type CachedFleet, emptyStoreCache, restoreStoreCache, writeStoreCache } from './store-cache.ts';
import { localSystem, mustBuild, ownSystems } from './systems.ts';

export type { SetupConfig, SetupPorts, SetupSurroundings } from './config.ts';
export { stateKey } from './config.ts';
export { teardown } from './run.ts';
export type { CachedFleet } from './store-cache.ts';

/** What the set-up made, for its own later steps; plain data. */
export interface Setup {
  /** How every stage calls Nix. */
  nix: NixInstallation;
  /** Null while the machine's own Nix serves. */
  run: Run | null;
  found: FoundNix;
  config: SetupConfig;
  settings: Settings;
  builders: Builder[];
}

/**
 * Finds or installs Nix, gives it the settings, starts a daemon of this run, proves that builds are isolated and that the
 * remote builders build.
 *
 * @throws UserError for a wrong input, before anything is changed; and when Nix cannot be had, or not with a sandbox.
 */
export async function setup(config: SetupConfig, context: Context, ports: SetupPorts): Promise<Setup> {
  parseVersion(config.nixVersion);
  const conf = parseNixConf(config.nixConf, null);
  const builders = config.builders === null ? [] : parseBuilders(config.builders);
  const machine = await machineNix(config, context, ports);
  if (machine !== null) {
    context.log.info(`Nix ${machine.found.version} of ${machine.found.bin}, the machine's own; its sandbox is proven.`);
    const settings = { extraPlatforms: [], substituters: [], trustedPublicKeys: [], builders: false, nixConf: '' };
    return { ...machine, run: null, config, settings, builders };
  }
  const run = newRun(ports);
  const prepared = prepare(run, config, conf, builders, context);
  const users = asRoot(context, run, 'users', [String(availableParallelism())]);
  const [found] = await Promise.all([findOrInstall(run, prepared, config, context), prepared, users]);
  const nix: NixInstallation = {
    bin: found.bin,
    version: found.version,
    env: {
      NIX_REMOTE: `unix://${socketOf(run)}`,
      NIX_CONF_DIR: join(run.directory, 'client'),
      ...(found.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: found.certificates }),
    },
  };
  const [cache] = await Promise.all([storeCache(config, conf, nix, ports, context), checkNames(config, nix, context)]);
  const settings: Settings = {
    extraPlatforms: [],
    substituters: cache.directory === null ? [] : [`file://${cache.directory}`],
    trustedPublicKeys: cache.keys,
    builders: builders.length > 0,
    nixConf: conf.daemon,
  };
  await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
  context.log.debug(`Nix ${found.version} answers.`);
  await Promise.all([
    proveSandbox(localSystem(), run, nix, context),
    builders.length === 0 ? null : checkBuilders(run, builders, found, config.environment, context),
  ]);
  context.log.info(`Nix ${found.version} of ${found.bin}, with a proven sandbox.`);
  if (ports.publish !== undefined) {
    ports.publish.addPath(found.bin);
    ports.publish.setOutput('nix-version-installed', found.version);
    for (const [name, value] of Object.entries(nix.env)) ports.publish.exportVariable(name, value);
  }
  return { nix, run, found, config, settings, builders };
}

/** What must be there before the daemon starts, and needs no Nix. */
async function prepare(
  run: Run,
  config: SetupConfig,
  conf: NixConf,
  builders: readonly Builder[],
  context: Context,
): Promise<void> {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await asRoot(context, run, 'prepare', [String(user), String(group)]);
  await writeFile(join(run.directory, 'client/nix.conf'), clientConf(run));
  if (config.githubToken !== null) context.log.secret(config.githubToken);
  if (config.githubToken !== null || conf.client !== '') {
    await writeFile(tokensFile(run), tokensConf(config.githubToken, conf.client), { mode: 0o600 });
  }
  if (builders.length > 0) await writeBuilders(run, builders, context);
}

/** @throws UserError for a setting in `nix-conf` that this Nix does not know. */
async function checkNames(config: SetupConfig, nix: NixInstallation, context: Context): Promise<void> {
  if (config.nixConf.trim() === '') return;
  // The settings of the run are not there yet.
  const bare = { ...nix, env: { NIX_CONF_DIR: '/var/empty' } };
  parseNixConf(config.nixConf, await settingNames(bare, context));
}

/** Where the store cache is, and whose signatures count in it. */
async function storeCache(
  config: SetupConfig,
  conf: NixConf,
  nix: NixInstallation,
  ports: SetupPorts,
  context: Context,
): Promise<{ directory: string | null; keys: string[] }> {
  if (ports.cache === undefined || config.cache === 'never') return { directory: null, keys: [] };
  const { signingKey } = config;
  const bare = { ...nix, env: { NIX_CONF_DIR: '/var/empty' } };
  const own = signingKey === null ? [] : [await publicKeyOf(signingKey, new Nix(context, bare))];
  if (own.length + conf.trustedPublicKeys.length === 0) {
    context.log.info('The store cache needs `signing-key`, so that nobody else can put anything into it: not used.');
    return { directory: null, keys: [] };
  }
  await emptyStoreCache(ports.cache.directory);
  return { directory: ports.cache.directory, keys: own };
}

/**
 * After evaluation: makes sure that what must be built can be, and is not built again. A dry run tells what must be
 * built; where that is something, the store cache is restored; and where a derivation of a system that neither this
 * machine nor a remote builder has is still to be built, its emulation is registered, proven, and Nix told.
 *
 * @throws UserError when `emulate` is `never` and something would have to be emulated, or when emulation fails.
 */
export async function prepareSystems(
  setUp: Setup,
  fleet: CachedFleet,
  context: Context,
  ports: SetupPorts,
): Promise<Setup> {
  const { config, nix, settings } = setUp;
  const drvPaths = fleet.hosts.map(host => host.drvPath);
  const foreign = fleet.hosts.filter(host => host.system !== localSystem());
  const cache = settings.substituters.length > 0 ? ports.cache : undefined;
  if (drvPaths.length === 0 || (foreign.length === 0 && cache === undefined)) return setUp;

  const asked = config.emulate !== 'always' || cache !== undefined;
  let toBuild = asked ? await mustBuild(drvPaths, nix, context) : [];
  if (toBuild.length > 0 && cache !== undefined) {
    const keys = [...settings.trustedPublicKeys, ...parseNixConf(config.nixConf, null).trustedPublicKeys];
    const restored = await restoreStoreCache(cache, fleet, keys, nix, context);
    if (restored !== null && foreign.length > 0) toBuild = await mustBuild(drvPaths, nix, context);
  }
  if (foreign.length === 0) return setUp;

  const needed = new Map<string, string[]>();
  if (config.emulate === 'always') {
    for (const { system, drvPath } of foreign) needed.set(system, [...(needed.get(system) ?? []), drvPath]);
  }
  for (const [drvPath, system] of await systemsOf(toBuild, new Nix(context, nix))) {
    needed.set(system, [...(needed.get(system) ?? []), drvPath]);
  }
  const remote = setUp.builders.flatMap(builder => builder.systems);
  for (const system of [...(await ownSystems(nix, context)), ...remote, 'builtin']) needed.delete(system);
  if (needed.size === 0) return setUp;
  if (config.emulate === 'never') throw wouldEmulate(needed);
  const own = await ownDaemon(setUp, context, ports);
  return { ...own, settings: await emulate([...needed.keys()], own, context) };
}

/**
 * Where nothing is evaluated to tell what is needed (the set-up as a step of its own, with `emulate: always`): emulates
 * the other one of the two systems that runners come in.
 *
 * @throws UserError when emulation fails.
 */
export async function emulateOther(setUp: Setup, context: Context, ports: SetupPorts): Promise<Setup> {
  const other = localSystem() === 'x86_64-linux' ? 'aarch64-linux' : 'x86_64-linux';
  if ((await ownSystems(setUp.nix, context)).has(other)) return setUp;
  const own = await ownDaemon(setUp, context, ports);
  return { ...own, settings: await emulate([other], own, context) };
}

/** A set-up whose daemon can be told what it may build: the machine's own Nix cannot. */
async function ownDaemon(setUp: Setup, context: Context, ports: SetupPorts): Promise<Setup & { run: Run }> {
  const { run, ...own } = setUp.run === null ? await setup({ ...setUp.config, daemon: 'own' }, context, ports) : setUp;
  if (run === null) throw new Error('a set-up with a daemon of its own has a run');
  return { ...own, run };
}

/** After the build: keeps what was built for later runs, where this run may. Never throws. */
export async function saveStoreCache(
  setUp: Setup,
  fleet: CachedFleet,
  toplevels: readonly string[],
  context: Context,
  ports: SetupPorts,
): Promise<void> {
  const { signingKey } = setUp.config;
  if (ports.cache === undefined || setUp.settings.substituters.length === 0 || toplevels.length === 0) return;
  if (signingKey === null) return;
  if (!ports.cache.trusted) {
    context.log.info('The store cache is not saved: what this run builds must not reach others.');
    return;
  }
  await writeStoreCache(ports.cache, fleet, toplevels, signingKey, setUp.nix, context);
}

function wouldEmulate(needed: ReadonlyMap<string, readonly string[]>): UserError {
  const described = [...needed].map(([system, drvPaths]) => {
    const names = drvPaths.slice(0, 10).map(path => path.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, ''));
    const more = drvPaths.length > 10 ? ` and ${drvPaths.length - 10} more` : '';
    return `${drvPaths.length} of ${system}: ${names.join(', ')}${more}`;
  });
  const message = `\`emulate\` is never, and derivations of another system must be built: ${described.join('; ')}.`;
  throw new UserError(message, {
    where: { input: 'emulate' },
    cure:
      'Run the job on a runner of that system (ubuntu-24.04-arm for aarch64-linux), name a remote builder in `builders`, ' +
      'use a cache that has them, or write `emulate: auto`.',
  });
}
