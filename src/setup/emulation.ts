import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { NixInstallation } from '../nix/index.ts';
import { registrationLine, registrationsOf } from './binfmt.ts';
import type { Run } from './config.ts';
import { lastError, prove } from './probe.ts';
import { provableSystems } from './probe-program.ts';
import { findQemu } from './qemu.ts';
import { asRoot } from './root.ts';

/**
 * Makes the kernel run the programs of `system` in Nix's sandbox, where it does not yet. An entry with the flag F is
 * kept; one without it would fail in the sandbox and is left, ours going before it.
 *
 * @throws UserError where there is no qemu for it.
 */
export async function registerEmulation(
  system: string,
  run: Run,
  qemu: string | null,
  context: Context,
): Promise<void> {
  if (!provableSystems.includes(system)) {
    throw new UserError(`Emulation of ${system} is not supported.`, {
      cure: `It is for ${provableSystems.join(', ')}. Use a remote builder, or a runner of that system.`,
    });
  }
  const valid = (await registrationsOf(system)).find(entry => entry.flags.includes('F'));
  if (valid !== undefined) {
    context.log.info(`Emulation of ${system}: ${valid.interpreter}, registered before as ${valid.name}.`);
    return;
  }
  await registerOwn(system, run, qemu, context);
}

async function registerOwn(system: string, run: Run, qemu: string | null, context: Context): Promise<void> {
  const { path, from } = qemu === null ? await findQemu(system, run, context) : { path: qemu, from: 'the given qemu' };
  await asRoot(context, run, 'register', [system], registrationLine(run, system, path));
  context.log.info(`Emulation of ${system}: registered ${from}.`);
}

/**
 * Proves by a sandboxed build of a program of `system` that its derivations can be built here. Nix must have been told
 * of the system before. An entry that the machine had and that does not run gives way to ours.
 *
 * @throws UserError when that fails too.
 */
export async function proveEmulation(
  system: string,
  run: Run,
  qemu: string | null,
  installation: NixInstallation,
  context: Context,
): Promise<void> {
  let proof = await prove(system, run, installation, context);
  if (!proof.ok && proof.kind === 'broken') {
    const inForce = (await registrationsOf(system)).filter(entry => entry.flags.includes('F'));
    if (inForce.length > 0 && !inForce.some(entry => run.directory.endsWith(entry.name.replace(`-${system}`, '')))) {
      context.log.warning(
        `The registered ${inForce[0]?.interpreter} does not run programs of ${system}: another is tried.`,
      );
      await registerOwn(system, run, qemu, context);
      proof = await prove(system, run, installation, context);
    }
  }
  if (proof.ok) {
    context.log.info(`A program of ${system} ran in the sandbox; it found itself on ${proof.machine}.`);
    return;
  }
  throw new UserError(`Programs of ${system} do not run here under emulation: ${lastError(proof.log)}`, {
    cure: 'Give a newer static qemu, or use a remote builder or a runner of that system.',
  });
}
