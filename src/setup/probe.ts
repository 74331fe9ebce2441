import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import type { Run } from './config.ts';
import { probeProgram } from './probe-program.ts';

/** How the probe build of a system ended. */
export type Proof =
  | { ok: true; machine: string }
  /** `open`: it ran, and saw the machine's files: no sandbox. `broken`: it could not run. `none`: we have no program. */
  | { ok: false; kind: 'open' | 'broken' | 'none'; log: string };

/**
 * Builds, on this machine, a derivation of `system` whose program would see a file of the machine if it were in no
 * sandbox.
 */
export async function prove(system: string, run: Run, installation: NixInstallation, context: Context): Promise<Proof> {
  const program = probeProgram(system);
  if (program === null) return { ok: false, kind: 'none', log: '' };
  const file = join(run.directory, 'client', `probe-${system}`);
  await writeFile(file, program, { mode: 0o755 });
  const nix = new Nix(context, installation);
  try {
    const { stdout } = await nix.run(
      'nix-build',
      [
        asset('nix/probe.nix'),
        '--no-out-link',
        ...['--argstr', 'system', system],
        ...['--argstr', 'program', file],
        ...['--argstr', 'outside', join(run.directory, 'outside')],
        // Not elsewhere, and not from a cache.
        ...['--option', 'builders', '', '--option', 'substitute', 'false'],
      ],
      { timeout: 120_000, signal: context.signal },
    );
    const answer = await readFile(stdout.trim(), 'latin1');
    return { ok: true, machine: answer.split('\0')[0] ?? '' };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const open = /exit code 7\b/.test(error.stderr);
    return { ok: false, kind: open ? 'open' : 'broken', log: error.stderr };
  }
}

/** @throws UserError when builds are not isolated from the machine. */
export async function proveSandbox(
  system: string,
  run: Run,
  installation: NixInstallation,
  context: Context,
): Promise<void> {
  const proof = await prove(system, run, installation, context);
  if (proof.ok || proof.kind === 'none') return;
  if (proof.kind === 'open') {
    throw new UserError("Nix's sandbox is off: a probe build could read a file of the machine.", {
      cure: 'Run on a machine where Nix can make namespaces; in a container, start it with the privilege to.',
    });
  }
  throw new UserError(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
    cure: 'Run on a machine where root can make namespaces and mounts; in a container, start it with the privilege to.',
  });
}

/** The last line of what Nix printed that is an error. */
export function lastError(log: string): string {
  const all = log.split('\n').filter(line => line.trim() !== '');
  return (all.findLast(line => /\berror: /.test(line)) ?? all.at(-1) ?? '').trim();
}
