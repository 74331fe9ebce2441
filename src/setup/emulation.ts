import { basename } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { registrationLine, registrationsOf } from './binfmt.ts';
import { daemonConf, type Settings } from './conf.ts';
import type { SetupConfig, SetupRun } from './config.ts';
import { startDaemon } from './daemon.ts';
import type { FoundNix } from './find.ts';
import { lastError, prove } from './probe.ts';
import { provableSystems } from './probe-program.ts';
import { findQemu, givenQemu } from './qemu.ts';
import { asRoot } from './root.ts';
import { localSystem } from './systems.ts';

/** The parts of the set-up that emulation needs. */
interface SetUp {
  nix: NixInstallation;
  run: SetupRun;
  found: FoundNix;
  config: SetupConfig;
  settings: Settings;
}

/**
 * Registers emulators so that the kernel runs programs of `systems` in Nix's sandbox, adds the systems to Nix's settings,
 * and proves it with a build of each.
 *
 * @returns the settings of the daemon, which was restarted.
 * @throws UserError if a system cannot be emulated.
 */
export async function emulate(systems: readonly string[], setUp: SetUp, context: Context): Promise<Settings> {
  const { run, found, config } = setUp;
  const nix = new Nix(context, setUp.nix);
  for (const system of systems) {
    if (provableSystems.includes(system)) continue;
    throw new UserError(`Derivations for ${system} must be built, and this system cannot be emulated.`, {
      cure: `Only ${provableSystems.join(', ')} can be emulated. Use a remote builder or a runner of that system.`,
    });
  }
  // One after the other: one package may contain the qemu of several.
  for (const system of systems) {
    if (runsByItself(system)) continue;
    const active = await activeRegistration(system, run);
    if (active === null) await registerOwn(system, run, config, context);
    else context.log.info(`Emulation of ${system}: ${active.interpreter}, already registered as ${active.name}.`);
  }
  const settings = { ...setUp.settings, extraPlatforms: [...setUp.settings.extraPlatforms, ...systems] };
  await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
  await Promise.all(systems.map(system => proveEmulation(system, run, config, nix, context)));
  return settings;
}

/** If an emulator that the machine already had does not work, registers another one. */
async function proveEmulation(
  system: string,
  run: SetupRun,
  config: SetupConfig,
  nix: Nix,
  context: Context,
): Promise<void> {
  let proof = await prove(system, run, nix, context);
  const active = await activeRegistration(system, run);
  if (!proof.ok && active?.name !== registrationName(run, system)) {
    if (active !== null)
      context.log.warning(`${active.interpreter} (${active.name}) does not run here; trying another.`);
    // The kernel prefers the newest registration.
    await registerOwn(system, run, config, context);
    proof = await prove(system, run, nix, context);
  }
  if (!proof.ok) {
    throw new UserError(`Programs for ${system} do not run here under emulation: ${lastError(proof.log)}`, {
      where: { input: 'emulate' },
      cure: 'Set `qemu` to a newer static one, or use a remote builder or a runner of that system.',
    });
  }
  context.log.info(`A program for ${system} ran in the sandbox, on a machine that it sees as ${proof.machine}.`);
}

/** Many aarch64 processors also run 32-bit programs; if this one does not, the probe fails. */
function runsByItself(system: string): boolean {
  return localSystem() === 'aarch64-linux' && /^armv[67]l-linux$/.test(system);
}

/**
 * The registration that runs a sandboxed program of `system`: the newest one with the flag F, the others do not work in a
 * sandbox. One of another run on this machine does not count, since it is removed when that run ends.
 */
async function activeRegistration(
  system: string,
  run: SetupRun,
): Promise<{ name: string; interpreter: string } | null> {
  const all = await registrationsOf(system);
  const ofAnotherRun = (name: string): boolean =>
    /^nix-ferry-[0-9a-f]{16}-/.test(name) && name !== registrationName(run, system);
  return all.find(({ name, flags }) => flags.includes('F') && !ofAnotherRun(name)) ?? null;
}

function registrationName(run: SetupRun, system: string): string {
  return `${basename(run.directory)}-${system}`;
}

async function registerOwn(system: string, run: SetupRun, config: SetupConfig, context: Context): Promise<void> {
  const { path, from } =
    config.qemu !== null ? await givenQemu(config.qemu, context) : await findQemu(system, run, context);
  await asRoot(context, run, 'register', [system], registrationLine(registrationName(run, system), system, path));
  context.log.info(`Emulation of ${system}: registered ${from}.`);
}
