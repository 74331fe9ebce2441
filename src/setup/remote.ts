import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import { aliases, type Builder, builderFiles, machinesLines } from './builders.ts';
import type { Run, SetupConfig } from './config.ts';
import { variables } from './daemon.ts';
import type { FoundNix } from './find.ts';
import { lastError } from './probe.ts';
import { probeProgram } from './probe-program.ts';
import { asRoot } from './root.ts';

/** Puts what the daemon needs for `builders` where it takes it from when it starts. */
export async function writeBuilders(run: Run, builders: readonly Builder[], context: Context): Promise<void> {
  const directory = join(run.directory, 'client/keys');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const { key } of builders) {
    if (key !== null && 'text' in key) context.log.secret(key.text);
  }
  const files = Object.entries(builderFiles(builders, join(run.directory, 'keys')));
  await Promise.all(files.map(([name, text]) => writeFile(join(directory, name), text, { mode: 0o600 })));
}

/**
 * Lets each builder build a small program of each of its systems, all at once, before anything depends on them.
 *
 * @throws UserError for the first that cannot be reached, does not let us in, has another host key, or cannot build for a
 *   system it is said to have.
 */
export async function checkBuilders(
  run: Run,
  builders: readonly Builder[],
  nix: FoundNix,
  environment: SetupConfig['environment'],
  context: Context,
): Promise<void> {
  const lines = machinesLines(builders);
  const names = aliases(builders);
  const checks = builders.flatMap((builder, index) =>
    builder.systems.map(system => ({ builder, system, line: lines[index] ?? '', name: names[index] ?? '' })),
  );
  await Promise.all(
    checks.map(async ({ builder, system, line, name }) => {
      const bytes = probeProgram(system);
      if (bytes === null) return;
      const program = join(run.directory, 'client', `probe-${name}-${system}`);
      await writeFile(program, bytes, { mode: 0o755 });
      const argv = [
        join(nix.bin, 'nix-build'),
        asset('nix/probe.nix'),
        '--no-out-link',
        ...['--argstr', 'system', system, '--argstr', 'program', program],
        // A path of no machine: other than the one of the probe here, and of other builders.
        ...['--argstr', 'outside', `${run.directory}/outside-${name}`],
        ...['--option', 'substitute', 'false', '--option', 'builders', line, '--max-jobs', '0'],
      ];
      try {
        await asRoot(context, run, 'direct', argv, variables(run, nix, environment));
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        throw explainBuilder(builder, system, error);
      }
    }),
  );
  context.log.info(
    `Remote builders: ${builders.map(each => `${each.address} (${each.systems.join(', ')})`).join(', ')}.`,
  );
}

/** What ssh and Nix print, and what it means. */
const meanings: readonly { pattern: RegExp; message: string; cure: string }[] = [
  {
    pattern:
      /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|key is (?:not )?known|No .* host key is known/i,
    message: 'shows another host key than the one that `builders` pins: nothing was sent to it.',
    cure: 'Compare the pinned key with /etc/ssh/ssh_host_ed25519_key.pub on that machine.',
  },
  {
    pattern: /Permission denied|Too many authentication failures|invalid format|error in libcrypto/,
    message: 'does not let us in.',
    cure: 'Put the public half of the key into its authorized_keys, and the private one into `key`.',
  },
  {
    pattern: /timed out|refused|No route|Could not resolve|unreachable|Name or service|Connection (?:closed|reset)/i,
    message: 'cannot be reached.',
    cure: 'Check address, port and firewall.',
  },
  {
    pattern: /(?:not found|No such file).*nix|nix-(?:daemon|store).*not found/i,
    message: 'has no Nix on the PATH that SSH gives.',
    cure: 'Install Nix there for all users.',
  },
  {
    pattern: /is required to build|Required system|Failed to find a machine|Exec format error|executing .*probe/,
    message: 'cannot build for a system that `builders` says it has.',
    cure: 'Correct its systems.',
  },
];

function explainBuilder(builder: Builder, system: string, error: CommandError): UserError {
  const meaning = meanings.find(({ pattern }) => pattern.test(error.stderr));
  const detail = `(${lastError(error.stderr)})`;
  return new UserError(
    `The remote builder ${builder.address}, for ${system}, ${meaning?.message ?? 'failed a small build.'} ${detail}`,
    { where: { input: 'builders' }, ...(meaning === undefined ? {} : { cure: meaning.cure }), cause: error },
  );
}
