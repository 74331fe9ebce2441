import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import type { SetupRun } from './config.ts';
import { probeProgram } from './probe-program.ts';

/** The result of a probe build. */
export type Proof =
  | { ok: true; machine: string }
  /** `open`: it ran and could read the machine's files. `broken`: it could not run. `none`: there is no program for it. */
  | { ok: false; kind: 'open' | 'broken' | 'none'; log: string };

/**
 * Builds on this machine a derivation of `system` whose program tries to read a file of the machine, which only works
 * outside of a sandbox.
 */
export async function prove(system: string, run: SetupRun, nix: Nix, context: Context): Promise<Proof> {
  const program = probeProgram(system);
  if (program === null) return { ok: false, kind: 'none', log: '' };
  const file = join(run.directory, 'client', `probe-${system}`);
  await writeFile(file, program, { mode: 0o755 });
  try {
    const { stdout } = await nix.run(
      'nix-build',
      [
        asset('nix/probe.nix'),
        '--no-out-link',
        ...['--argstr', 'system', system],
        ...['--argstr', 'program', file],
        ...['--argstr', 'outside', join(run.directory, 'outside')],
        // Neither on a remote builder nor from a cache.
        ...['--option', 'builders', '', '--option', 'substitute', 'false'],
      ],
      { timeout: 120_000, signal: context.signal },
    );
    const answer = await readFile(stdout.trim(), 'latin1');
    return { ok: true, machine: answer.split('\0')[0] ?? '' };
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === 'cancelled') throw error;
    const open = /exit code 7\b/.test(error.stderr);
    return { ok: false, kind: open ? 'open' : 'broken', log: error.code === null ? error.message : error.stderr };
  }
}

/** @throws UserError if builds are not isolated from the machine */
export async function proveSandbox(system: string, run: SetupRun, nix: Nix, context: Context): Promise<void> {
  const proof = await prove(system, run, nix, context);
  if (proof.ok || proof.kind === 'none') return;
  if (proof.kind === 'open') {
    throw new UserError("Nix's sandbox is disabled: a probe build could read a file of the machine.", {
      cure: 'Run on a machine where Nix can create namespaces; a container must be privileged.',
    });
  }
  throw new UserError(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
    cure: 'Run on a machine where root can create namespaces and mounts; a container must be privileged.',
  });
}

/** The last line that is an error, or else the last line. */
export function lastError(log: string): string {
  const all = log.split('\n').filter(line => line.trim() !== '');
  return (all.findLast(line => /\berror: /.test(line)) ?? all.at(-1) ?? '').trim();
}
