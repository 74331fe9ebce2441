import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import { aliases, type Builder, builderFiles, machinesLines } from './builders.ts';
import type { SetupConfig, SetupRun } from './config.ts';
import { variables } from './daemon.ts';
import type { FoundNix } from './find.ts';
import { lastError } from './probe.ts';
import { probeProgram } from './probe-program.ts';
import { asRoot } from './root.ts';

/** Writes the files that the daemon needs for `builders` and reads when it starts. */
export async function writeBuilders(run: SetupRun, builders: readonly Builder[], context: Context): Promise<void> {
  const directory = join(run.directory, 'client/keys');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const { key } of builders) {
    if (key !== null && 'text' in key) context.log.secret(key.text);
  }
  const files = Object.entries(builderFiles(builders, join(run.directory, 'keys')));
  await Promise.all(files.map(([name, text]) => writeFile(join(directory, name), text, { mode: 0o600 })));
}

/**
 * Builds a small derivation on each builder for each of its systems, all at once, before anything depends on them.
 *
 * @throws UserError for the first builder that cannot be reached, denies access, has another host key, or cannot build for
 *   a system in `builders`.
 */
export async function checkBuilders(
  run: SetupRun,
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
        // A path that exists on no machine, and that no other probe uses.
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

/** What ssh and Nix print and what it means. */
const meanings: readonly { pattern: RegExp; message: string; cure: string }[] = [
  {
    pattern:
      /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|key is (?:not )?known|No .* host key is known/i,
    message: 'has a host key other than the one pinned in `builders`; nothing was sent to it.',
    cure: 'Compare the pinned key with /etc/ssh/ssh_host_ed25519_key.pub on that machine.',
  },
  {
    pattern: /Permission denied|Too many authentication failures|invalid format|error in libcrypto/,
    message: 'denied access.',
    cure: 'Add the public key to its authorized_keys, and the private key to `key`.',
  },
  {
    pattern: /timed out|refused|No route|Could not resolve|unreachable|Name or service|Connection (?:closed|reset)/i,
    message: 'cannot be reached.',
    cure: 'Check its address, port and firewall.',
  },
  {
    pattern: /(?:not found|No such file).*nix|nix-(?:daemon|store).*not found/i,
    message: 'has no Nix on the PATH of SSH sessions.',
    cure: 'Install Nix there for all users.',
  },
  {
    pattern: /is required to build|Required system|Failed to find a machine|Exec format error|executing .*probe/,
    message: 'cannot build for this system.',
    cure: 'Correct `systems` in `builders`.',
  },
];

function explainBuilder(builder: Builder, system: string, error: CommandError): UserError {
  const meaning = meanings.find(({ pattern }) => pattern.test(error.stderr));
  const detail = `(${lastError(error.stderr)})`;
  return new UserError(
    `The remote builder ${builder.address} (${system}) ${meaning?.message ?? 'failed to build a test derivation.'} ${detail}`,
    { where: { input: 'builders' }, ...(meaning === undefined ? {} : { cure: meaning.cure }), cause: error },
  );
}
