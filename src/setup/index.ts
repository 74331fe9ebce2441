import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { clientConf, daemonConf, type Settings, tokensConf, tokensFile } from './conf.ts';
import type { Run, SetupConfig, SetupPorts } from './config.ts';
import { socketOf, startDaemon } from './daemon.ts';
import { proveEmulation, registerEmulation } from './emulation.ts';
import type { FoundNix } from './find.ts';
import { findOrInstall } from './install.ts';
import { proveSandbox } from './probe.ts';
import { asRoot } from './root.ts';
import { newRun } from './run.ts';
import { localSystem, mustBuild, ownSystems, systemsOf } from './systems.ts';

export type { SetupConfig, SetupPorts, StoreCachePort } from './config.ts';
export { stateKey } from './config.ts';
export { teardown } from './run.ts';

/** What the set-up made, for its own later steps; plain data. */
export interface Setup {
  /** How every stage calls Nix. */
  nix: NixInstallation;
  run: Run;
  found: FoundNix;
  config: SetupConfig;
  settings: Settings;
}

/**
 * Finds or installs Nix, gives it the settings, starts a daemon of this run and proves that builds are isolated.
 *
 * @throws UserError when Nix cannot be had, or not with a sandbox.
 */
export async function setup(config: SetupConfig, context: Context, ports: SetupPorts): Promise<Setup> {
  const run = newRun(ports);
  const settings: Settings = {
    extraPlatforms: [],
    substituters: [],
    trustedPublicKeys: [],
    builders: false,
    nixConf: config.nixConf,
  };
  if (config.githubToken !== null) context.log.secret(config.githubToken);
  const prepared = prepare(run, config, context);
  const [found] = await Promise.all([findOrInstall(run, prepared, config, context), prepared]);
  await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
  const nix: NixInstallation = {
    bin: found.bin,
    version: found.version,
    env: {
      NIX_REMOTE: `unix://${socketOf(run)}`,
      NIX_CONF_DIR: join(run.directory, 'client'),
      ...(found.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: found.certificates }),
    },
  };
  await proveSandbox(localSystem(), run, nix, context);
  context.log.info(`Nix ${found.version} of ${found.bin}, with a proven sandbox.`);
  if (ports.publish !== undefined) {
    ports.publish.addPath(found.bin);
    for (const [name, value] of Object.entries(nix.env)) ports.publish.exportVariable(name, value);
  }
  return { nix, run, found, config, settings };
}

async function prepare(run: Run, config: SetupConfig, context: Context): Promise<void> {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const processors = new Nix(context.exec, { bin: null, version: '', env: {} }).processors;
  await asRoot(context, run, 'prepare', [String(user), String(group), String(processors)]);
  await writeFile(join(run.directory, 'client/nix.conf'), clientConf(run));
  if (config.githubToken !== null) {
    await writeFile(tokensFile(run), tokensConf(config.githubToken), { mode: 0o600 });
    await chmod(tokensFile(run), 0o600);
  }
}

/**
 * After evaluation: makes sure that what must be built can be. A dry run tells whether a derivation of a system that
 * neither this machine nor a remote builder has must really be built; only then is its emulation registered, proven,
 * and Nix told.
 *
 * @param hosts toplevels to build, with their systems.
 * @throws UserError when `emulate` is `never` and something would have to be emulated, or when emulation fails.
 */
export async function prepareSystems(
  setUp: Setup,
  hosts: readonly { drvPath: string; system: string }[],
  context: Context,
): Promise<Setup> {
  const { config, nix } = setUp;
  const foreign = hosts.filter(host => host.system !== localSystem());
  if (foreign.length === 0) return setUp;
  const own = await ownSystems(nix, context);
  const needed = new Map<string, string[]>();
  if (config.emulate === 'always') {
    for (const { system, drvPath } of foreign) needed.set(system, [drvPath]);
  } else {
    const drvPaths = await mustBuild(
      hosts.map(host => host.drvPath),
      nix,
      context,
    );
    for (const [drvPath, system] of await systemsOf(drvPaths, nix, context)) {
      needed.set(system, [...(needed.get(system) ?? []), drvPath]);
    }
  }
  for (const system of [...own, 'builtin']) needed.delete(system);
  if (needed.size === 0) return setUp;
  if (config.emulate === 'never') throw wouldEmulate(needed);
  const systems = [...needed.keys()];
  await Promise.all(systems.map(system => registerEmulation(system, setUp.run, null, context)));
  const settings = { ...setUp.settings, extraPlatforms: [...setUp.settings.extraPlatforms, ...systems] };
  await startDaemon(setUp.run, setUp.found, daemonConf(setUp.run, settings), config.environment, context);
  await Promise.all(systems.map(system => proveEmulation(system, setUp.run, null, nix, context)));
  return { ...setUp, settings };
}

function wouldEmulate(needed: ReadonlyMap<string, readonly string[]>): UserError {
  const described = [...needed].map(([system, drvPaths]) => {
    const names = drvPaths.slice(0, 10).map(path => path.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, ''));
    const more = drvPaths.length > 10 ? ` and ${drvPaths.length - 10} more` : '';
    return `${drvPaths.length} of ${system}: ${names.join(', ')}${more}`;
  });
  return new UserError(
    `\`emulate\` is never, and derivations of another system must be built: ${described.join('; ')}.`,
    {
      where: { input: 'emulate' },
      cure: 'Run the job on a runner of that system, name a remote builder in `builders`, use a cache that has them, or write `emulate: auto`.',
    },
  );
}
