import { readFile, stat } from 'node:fs/promises';
import { size } from '../../amounts.ts';
import { mapConcurrently } from '../../concurrency.ts';
import type { Context } from '../../context.ts';
import { CommandError } from '../../errors.ts';
import type { Secret } from '../../plan/fleet.ts';
import { checkSecrets, type Declared, type Reading, reads, wrongSecrets } from './check.ts';
import { type ReadSecret, SecretContent } from './content.ts';
import { newDigest } from './digest.ts';

/** Bytes. A secret is held in memory here and on its target. */
const largest = 16 * 1024 * 1024;

/** Milliseconds for a command that prints a secret. */
const commandTime = 120_000;

/** Sources that are read at the same time. */
const atOnce = 8;

/**
 * Reads the secrets of all hosts that are to get some, each source once.
 *
 * @returns by host, in the order of its secrets. Contents are masked in the log.
 * @throws UserError that names all that cannot be read.
 */
export async function readSecrets(
  hosts: readonly Declared[],
  reading: Reading,
  context: Context,
): Promise<ReadonlyMap<string, ReadSecret[]>> {
  checkSecrets(hosts, reading);
  const problems: string[] = [];
  const contents = new Map<Secret['source'], SecretContent | null>();
  const bySource = new Map<string, Secret['source'][]>();
  const declared = hosts.flatMap(({ host, secrets }) => secrets.map(secret => ({ host, secret })));
  for (const { secret } of declared) {
    // Texts have no key: they are not read.
    const key = 'text' in secret.source ? `text ${bySource.size}` : JSON.stringify(secret.source);
    bySource.set(key, [...(bySource.get(key) ?? []), secret.source]);
  }
  await mapConcurrently([...bySource.values()], atOnce, async sources => {
    const [source] = sources;
    if (source === undefined) return;
    const content = reads(reading, source) ? await contentOf(source, reading, context) : null;
    if (typeof content === 'string') {
      const names = declared.filter(({ secret }) => sources.includes(secret.source));
      problems.push(...names.map(({ host, secret }) => `${host}: ${JSON.stringify(secret.name)}: ${content}`));
      return;
    }
    const text = content?.maskable() ?? null;
    if (text !== null) context.log.secret(text);
    for (const each of sources) contents.set(each, content);
  });
  if (problems.length > 0) throw wrongSecrets(problems.sort());
  return new Map(
    hosts.map(({ host, secrets }) => [
      host,
      secrets.map(secret => withDigest(host, secret, contents.get(secret.source) ?? null, reading)),
    ]),
  );
}

function withDigest(host: string, secret: Secret, content: SecretContent | null, { signingKey }: Reading): ReadSecret {
  const digested = content !== null && signingKey !== null;
  return { secret, content, digest: digested ? newDigest({ host, secret, content }, signingKey) : null };
}

/**
 * Reads what a preview can compare: sources that it may read and that are there.
 *
 * @returns the content, masked in the log; null if there is none.
 */
export async function readIfThere(
  { source }: Secret,
  reading: Reading,
  context: Context,
): Promise<SecretContent | null> {
  if (!reads(reading, source) || ('env' in source && !(source.env in reading.secretVariables))) return null;
  const content = await contentOf(source, reading, context);
  if (typeof content === 'string') return null;
  const text = content.maskable();
  if (text !== null) context.log.secret(text);
  return content;
}

/** The content, or why it cannot be read, in words. */
async function contentOf(
  source: Secret['source'],
  { secretVariables }: Reading,
  context: Context,
): Promise<SecretContent | string> {
  if ('text' in source) return contentOrLimit(Buffer.from(source.text.reveal()));
  if ('env' in source) return contentOrLimit(Buffer.from(secretVariables[source.env] ?? ''));
  return 'file' in source ? ofFile(source.file) : ofCommand(source.command, source.folder, context);
}

async function ofFile(file: string): Promise<SecretContent | string> {
  try {
    const { size: bytes, isFile } = await stat(file).then(found => ({ size: found.size, isFile: found.isFile() }));
    if (!isFile) return `${file} is not a file`;
    return bytes > largest ? tooLarge(bytes) : contentOrLimit(await readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `the file ${file} does not exist` : `the file ${file} cannot be read (${code})`;
  }
}

async function ofCommand(
  [program = '', ...args]: readonly string[],
  folder: string | undefined,
  { exec, signal }: Context,
): Promise<SecretContent | string> {
  const chunks: Buffer[] = [];
  try {
    await exec(program, args, {
      ...(folder === undefined ? {} : { cwd: folder }),
      timeout: commandTime,
      signal,
      onStdoutChunk: chunk => chunks.push(chunk),
    });
    return contentOrLimit(Buffer.concat(chunks));
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === 'cancelled') throw error;
    const { failure, stderr } = error;
    if (failure.kind === 'missing') return `the command ${program} is not installed`;
    const last = stderr.trim().split('\n').at(-1) ?? '';
    return `the command ${program} failed${failure.kind === 'exit' ? ` with exit code ${failure.code}` : ''}${last === '' ? '' : `: ${last}`}`;
  }
}

function contentOrLimit(bytes: Buffer): SecretContent | string {
  return bytes.length > largest ? tooLarge(bytes.length) : new SecretContent(bytes);
}

function tooLarge(bytes: number): string {
  return `it has ${size(bytes)}, and a secret may have ${size(largest)}`;
}
