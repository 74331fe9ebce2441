import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
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
  const args = await argumentsFor(system, run);
  if (args === null) return { ok: false, kind: 'none', log: '' };
  try {
    const { stdout } = await nix.run(
      'nix-build',
      [
        ...args,
        '--no-out-link',
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

/** The arguments that name the probe's derivation; null if there is no program for the system. */
async function argumentsFor(system: string, run: SetupRun): Promise<string[] | null> {
  const program = probeProgram(system);
  if (program === null) return null;
  const file = join(run.directory, 'client', `probe-${system}`);
  await writeFile(file, program, { mode: 0o755 });
  return [
    asset('nix/probe.nix'),
    ...['--argstr', 'system', system],
    ...['--argstr', 'program', file],
    ...['--argstr', 'outside', join(run.directory, 'outside')],
  ];
}

/** Adds the probe's derivation to the store without building it. @throws CommandError if the store does not accept it. */
export async function checkStore(system: string, run: SetupRun, nix: Nix, { signal }: Context): Promise<void> {
  const args = await argumentsFor(system, run);
  if (args !== null) await nix.run('nix-instantiate', args, { timeout: 120_000, signal });
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
  const shell = missingSandboxPath(proof.log);
  if (shell !== null) {
    throw new UserError(
      `A probe build in Nix's sandbox failed: ${shell}, which the sandbox contains, does not exist.`,
      {
        cure: `Install the package that has it (${basename(shell)}), or set \`sandbox-paths\` in \`nix-conf\` to paths that exist, for example \`/bin/sh=/bin/busybox\`.`,
      },
    );
  }
  throw new UserError(`A probe build in Nix's sandbox failed: ${lastError(proof.log)}`, {
    cure: 'Run on a machine where root can create namespaces and mounts; a container must be privileged.',
  });
}

/** The path of the setting `sandbox-paths` that Nix did not find, which most often is its shell; null if it failed otherwise. */
export function missingSandboxPath(log: string): string | null {
  const [, path] =
    /getting (?:attributes of path|status of) [`'"]?(\/[^`'"\s]+?)[`'"]?: No such file or directory/.exec(log) ?? [];
  return path === undefined || path.startsWith('/nix/store/') ? null : path;
}

/** The last line that is an error, or else the last line. */
export function lastError(log: string): string {
  const all = log.split('\n').filter(line => line.trim() !== '');
  return (all.findLast(line => /\berror: /.test(line)) ?? all.at(-1) ?? '').trim();
}
