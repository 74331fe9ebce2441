import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { derivationName, systemsOf } from '../nix/derivation.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { publicKeyOf } from '../nix/sign.ts';
import { type Builder, parseBuilders } from './builders.ts';
import { clientConf, daemonConf, type Settings, tokensConf, tokensFile } from './conf.ts';
import type { SetupConfig, SetupPorts, SetupRun } from './config.ts';
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
export { nixAsRoot } from './root-nix.ts';
export { teardown } from './run.ts';
export type { CachedFleet } from './store-cache.ts';

/** The result of the set-up, for its own later steps: plain data. */
export interface Setup {
  /** How every stage calls Nix. */
  nix: NixInstallation;
  /** Null if the machine's own Nix is used. */
  run: SetupRun | null;
  found: FoundNix;
  config: SetupConfig;
  settings: Settings;
  builders: Builder[];
}

/**
 * Finds or installs Nix, writes its settings, starts a daemon of this run, and proves that remote builders work and, if
 * anything is to be built, that builds are isolated.
 *
 * @throws UserError for a wrong input, before anything is changed; and if Nix cannot be installed, or not with a sandbox.
 */
export async function setup(config: SetupConfig, context: Context, ports: SetupPorts): Promise<Setup> {
  parseVersion(config.nixVersion);
  const conf = parseNixConf(config.nixConf, null);
  const builders = config.builders === null ? [] : parseBuilders(config.builders);
  const machine = await machineNix(config, context, ports);
  if (machine !== null) {
    context.log.info(
      `Using the machine's own Nix ${machine.found.version} in ${machine.found.bin}${provenSandbox(config)}.`,
    );
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
  context.log.debug(`The daemon of Nix ${found.version} is running.`);
  await Promise.all([
    config.builds ? proveSandbox(localSystem(), run, new Nix(context, nix), context) : null,
    builders.length === 0 ? null : checkBuilders(run, builders, found, config.environment, context),
  ]);
  context.log.info(`Using Nix ${found.version} in ${found.bin}${provenSandbox(config)}.`);
  if (ports.publish !== undefined) {
    ports.publish.addPath(found.bin);
    ports.publish.setOutput('nix-version-installed', found.version);
    for (const [name, value] of Object.entries(nix.env)) ports.publish.exportVariable(name, value);
  }
  return { nix, run, found, config, settings, builders };
}

function provenSandbox({ builds }: SetupConfig): string {
  return builds ? '; its sandbox works' : '';
}

/** Writes the files that must exist before the daemon starts, which needs no Nix. */
async function prepare(
  run: SetupRun,
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
  parseNixConf(config.nixConf, await settingNames(withoutSettings(nix, context)));
}

/** For commands before the settings of the run exist. */
function withoutSettings(nix: NixInstallation, context: Context): Nix {
  return new Nix(context, { ...nix, env: { NIX_CONF_DIR: '/var/empty' } });
}

/** The directory of the store cache, and the keys that its paths may be signed by. */
async function storeCache(
  config: SetupConfig,
  conf: NixConf,
  nix: NixInstallation,
  ports: SetupPorts,
  context: Context,
): Promise<{ directory: string | null; keys: string[] }> {
  if (ports.cache === undefined || config.cache === 'never') return { directory: null, keys: [] };
  const signingKey = config.signingKey ?? null;
  const own = signingKey === null ? [] : [await publicKeyOf(signingKey, withoutSettings(nix, context))];
  if (own.length + conf.trustedPublicKeys.length === 0) {
    context.log.info('The store cache is not used: it needs `signing-key`, so that no one else can add paths to it.');
    return { directory: null, keys: [] };
  }
  await emptyStoreCache(ports.cache.directory);
  return { directory: ports.cache.directory, keys: own };
}

/**
 * After evaluation: makes sure that what must be built can be built, and is not built again. A dry run shows what must be
 * built. If there is anything, the store cache is restored; if derivations of a system that neither this machine nor a
 * remote builder has are still to be built, that system is emulated.
 *
 * @throws UserError if `emulate` is `never` and a system would have to be emulated, or if emulation fails.
 */
export async function prepareSystems(
  setUp: Setup,
  fleet: CachedFleet,
  context: Context,
  ports: SetupPorts,
): Promise<Setup> {
  const { config, settings } = setUp;
  const foreign = fleet.hosts.filter(host => host.system !== localSystem());
  const cache = settings.substituters.length > 0 ? ports.cache : undefined;
  if (fleet.hosts.length === 0 || (foreign.length === 0 && cache === undefined)) return setUp;

  const nix = new Nix(context, setUp.nix);
  const drvPaths = fleet.hosts.map(host => host.drvPath);
  const query = config.emulate !== 'always' || cache !== undefined;
  let toBuild = query ? await mustBuild(drvPaths, nix, context.signal) : [];
  if (toBuild.length > 0 && cache !== undefined) {
    const keys = [...settings.trustedPublicKeys, ...parseNixConf(config.nixConf, null).trustedPublicKeys];
    const restored = await restoreStoreCache(cache, fleet, keys, nix, context);
    if (restored !== null && foreign.length > 0) toBuild = await mustBuild(drvPaths, nix, context.signal);
  }
  if (foreign.length === 0) return setUp;

  const needed = await foreignSystems(config.emulate === 'always' ? foreign : [], toBuild, setUp, nix);
  if (needed.size === 0) return setUp;
  if (config.emulate === 'never') throw wouldEmulate(needed);
  const own = await ownDaemon(setUp, context, ports);
  return { ...own, settings: await emulate([...needed.keys()], own, context) };
}

/** The systems that must be emulated, each with its derivations: those of `hosts` and those of `toBuild`. */
async function foreignSystems(
  hosts: CachedFleet['hosts'],
  toBuild: readonly string[],
  { builders }: Setup,
  nix: Nix,
): Promise<Map<string, string[]>> {
  const needed = new Map<string, string[]>();
  const add = (system: string, drvPath: string): void => {
    needed.set(system, [...(needed.get(system) ?? []), drvPath]);
  };
  for (const { system, drvPath } of hosts) add(system, drvPath);
  for (const [drvPath, system] of await systemsOf(toBuild, nix)) add(system, drvPath);
  const remote = builders.flatMap(builder => builder.systems);
  for (const system of [...(await ownSystems(nix)), ...remote, 'builtin']) needed.delete(system);
  return needed;
}

/**
 * For the set-up as a separate step with `emulate: always`, when no evaluation shows what is needed: emulates the other
 * of the two systems that runners have.
 *
 * @throws UserError when emulation fails.
 */
export async function emulateOther(setUp: Setup, context: Context, ports: SetupPorts): Promise<Setup> {
  const other = localSystem() === 'x86_64-linux' ? 'aarch64-linux' : 'x86_64-linux';
  if ((await ownSystems(new Nix(context, setUp.nix))).has(other)) return setUp;
  const own = await ownDaemon(setUp, context, ports);
  return { ...own, settings: await emulate([other], own, context) };
}

/** A set-up with its own daemon, whose settings can be changed. */
async function ownDaemon(setUp: Setup, context: Context, ports: SetupPorts): Promise<Setup & { run: SetupRun }> {
  const { run, ...own } = setUp.run === null ? await setup({ ...setUp.config, daemon: 'own' }, context, ports) : setUp;
  if (run === null) throw new Error('a set-up with its own daemon must have a run');
  return { ...own, run };
}

/** After the build: saves what was built for later runs, if this run is trusted to. Never throws. */
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
    context.log.info('The store cache is not saved: later runs must not use what this event builds.');
    return;
  }
  await writeStoreCache(ports.cache, { fleet, toplevels }, signingKey, new Nix(context, setUp.nix), context);
}

function wouldEmulate(needed: ReadonlyMap<string, readonly string[]>): UserError {
  const described = [...needed].map(([system, drvPaths]) => {
    const names = drvPaths.slice(0, 10).map(derivationName);
    const more = drvPaths.length > 10 ? ` and ${drvPaths.length - 10} more` : '';
    return `${drvPaths.length} for ${system}: ${names.join(', ')}${more}`;
  });
  const message = `Derivations for another system must be built, but \`emulate\` is never: ${described.join('; ')}.`;
  return new UserError(message, {
    where: { input: 'emulate' },
    cure:
      'Run the job on a runner of that system (ubuntu-24.04-arm for aarch64-linux), add a remote builder to `builders`, ' +
      'use a cache that has them, or set `emulate: auto`.',
  });
}
