import { basename } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { NixInstallation } from '../nix/index.ts';
import { registrationLine, registrationsOf } from './binfmt.ts';
import { daemonConf, type Settings } from './conf.ts';
import type { Run, SetupConfig } from './config.ts';
import { startDaemon } from './daemon.ts';
import type { FoundNix } from './find.ts';
import { lastError, prove } from './probe.ts';
import { provableSystems } from './probe-program.ts';
import { findQemu, givenQemu } from './qemu.ts';
import { asRoot } from './root.ts';
import { localSystem } from './systems.ts';

/** What of the set-up emulation needs. */
interface SetUp {
  nix: NixInstallation;
  run: Run;
  found: FoundNix;
  config: SetupConfig;
  settings: Settings;
}

/**
 * Makes the kernel run the programs of `systems` in Nix's sandbox, tells Nix, and proves it by a build of each.
 *
 * @returns the settings of the daemon, which was started again.
 * @throws UserError where that cannot be.
 */
export async function emulate(systems: readonly string[], setUp: SetUp, context: Context): Promise<Settings> {
  const { nix, run, found, config } = setUp;
  for (const system of systems) {
    if (provableSystems.includes(system)) continue;
    throw new UserError(`Derivations of ${system} must be built, and there is no emulation of it here.`, {
      cure: `Emulation is for ${provableSystems.join(', ')}. Use a remote builder, or a runner of that system.`,
    });
  }
  const register = (system: string): Promise<void> => registerOwn(system, run, config, context);
  // One after the other: one package may hold the qemu of several.
  for (const system of systems) {
    if (runsByItself(system)) continue;
    const valid = await inForce(system, run);
    if (valid === null) await register(system);
    else context.log.info(`Emulation of ${system}: ${valid.interpreter}, registered before as ${valid.name}.`);
  }
  const settings = { ...setUp.settings, extraPlatforms: [...setUp.settings.extraPlatforms, ...systems] };
  await startDaemon(run, found, daemonConf(run, settings), config.environment, context);
  await Promise.all(
    systems.map(async system => {
      let proof = await prove(system, run, nix, context);
      const other = await inForce(system, run);
      if (!proof.ok && other?.name !== registrationName(run, system)) {
        // What the machine had does not run: ours goes before it.
        if (other !== null)
          context.log.warning(`${other.interpreter} of ${other.name} does not run here: another is tried.`);
        await register(system);
        proof = await prove(system, run, nix, context);
      }
      if (!proof.ok) {
        throw new UserError(`Programs of ${system} do not run here under emulation: ${lastError(proof.log)}`, {
          where: { input: 'emulate' },
          cure: 'Give a newer static qemu, or use a remote builder or a runner of that system.',
        });
      }
      context.log.info(`A program of ${system} ran in the sandbox, on what it took for ${proof.machine}.`);
    }),
  );
  return settings;
}

/** Many an aarch64 processor runs programs of its 32-bit ancestors; where it does not, the probe tells. */
function runsByItself(system: string): boolean {
  return localSystem() === 'aarch64-linux' && /^armv[67]l-linux$/.test(system);
}

/**
 * The entry that a sandboxed program of `system` goes to: the kernel takes the youngest, but only F survives a sandbox. One
 * of another run on this machine does not count, since it goes when that run ends.
 */
async function inForce(system: string, run: Run): Promise<{ name: string; interpreter: string } | null> {
  const all = await registrationsOf(system);
  const ofAnotherRun = (name: string): boolean =>
    /^nix-ferry-[0-9a-f]{16}-/.test(name) && name !== registrationName(run, system);
  return all.find(({ name, flags }) => flags.includes('F') && !ofAnotherRun(name)) ?? null;
}

function registrationName(run: Run, system: string): string {
  return `${basename(run.directory)}-${system}`;
}

async function registerOwn(system: string, run: Run, config: SetupConfig, context: Context): Promise<void> {
  const { path, from } =
    config.qemu !== null ? await givenQemu(config.qemu, context) : await findQemu(system, run, context);
  await asRoot(context, run, 'register', [system], registrationLine(registrationName(run, system), system, path));
  context.log.info(`Emulation of ${system}: registered ${from}.`);
}
