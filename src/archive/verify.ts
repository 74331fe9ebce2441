import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure, UserError } from '../errors.ts';
import { type Nix, parsePathInfo } from '../nix/index.ts';
import type { Archive, Manifest } from './archive.ts';
import { archiveOf, parseManifest } from './manifest.ts';
import { hasEntry } from './manifest-entry.ts';
import { sizeOf } from './write.ts';

/** Store paths in one call of Nix. */
const pathsPerCall = 2_000;

/**
 * Checks all of an archive before any of it is used: the manifest's shape and digest, that each path said to be inside is
 * there with the NAR hash the manifest names and has that hash when it is unpacked, and, where keys are given, that
 * the manifest and each path inside carry a signature by one of them.
 *
 * @param trustedKeys in Nix's form `name:base64`; with none, only hashes are checked, which finds damage but not an
 *   archive that somebody else made.
 * @throws UserError that names the first path found wrong.
 */
export async function verifyArchive(
  directory: string,
  trustedKeys: readonly string[],
  nix: Nix,
  context: Context,
): Promise<Archive & { manifest: Manifest }> {
  const { archive, manifest } = await openArchive(directory);
  const inside = manifest.paths.filter(path => path.inside);
  const store = `file://${directory}`;
  const trust =
    trustedKeys.length === 0
      ? ['--no-trust']
      : ['--sigs-needed', '1', '--option', 'trusted-public-keys', trustedKeys.join(' ')];
  if (trustedKeys.length > 0 && manifest.publicKey === null) throw tampered(manifest.host, 'it is not signed');
  const own = await manifestPath(directory, manifest.host, nix);
  await verifySums(directory, manifest);
  const verify = (paths: readonly string[]) =>
    attempt(manifest.host, () =>
      nix.run('nix', ['store', 'verify', '--store', store, ...trust, ...paths], { signal: context.signal }),
    );
  await verify([own]);
  for (let first = 0; first < inside.length; first += pathsPerCall) {
    const some = inside.slice(first, first + pathsPerCall);
    const paths = some.map(({ path }) => path);
    const infos = await attempt(manifest.host, async () => {
      const { stdout } = await nix.run('nix', ['path-info', '--json', '--store', store, ...paths]);
      return new Map(parsePathInfo(stdout).map(info => [info.path, info]));
    });
    for (const { path, narHash, narSize } of some) {
      const info = infos.get(path);
      if (info === undefined) throw tampered(manifest.host, `${path} is missing`);
      if (info.narHash !== narHash || info.narSize !== narSize) {
        throw tampered(manifest.host, `${path} is not what the manifest names`);
      }
    }
    await verify(paths);
  }
  return { ...archive, manifest };
}

/** Reads what an archive says of itself, and checks nothing but the manifest's own shape and digest. */
export async function openArchive(directory: string): Promise<{ archive: Archive; manifest: Manifest }> {
  const file = join(directory, 'manifest.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(`${directory} is not an archive: it has no manifest.json.`, {
      where: { file: directory },
      cure: 'Give the folder that the artifact was unpacked into.',
      cause,
    });
  }
  const manifest = parseManifest(text, 'manifest.json');
  const archive = archiveOf(manifest, directory, await sizeOf(directory));
  return { archive, manifest };
}

/** The store path that the manifest's bytes give it; see manifest-entry.ts. */
async function manifestPath(directory: string, host: string, nix: Nix): Promise<string> {
  const hash = await nix.run('nix-hash', ['--type', 'sha256', '--flat', '--base32', join(directory, 'manifest.json')]);
  const fixed = await nix.run('nix-store', ['--print-fixed-path', 'sha256', hash.stdout.trim(), 'manifest.json']);
  const path = fixed.stdout.trim();
  if (!(await hasEntry(path, directory))) throw tampered(host, 'manifest.json, or its entry, was changed');
  return path;
}

/** The small files, by SHA256SUMS, which the manifest guards. */
async function verifySums(directory: string, manifest: Manifest): Promise<void> {
  const read = (name: string): Promise<Buffer> =>
    readFile(join(directory, name)).catch(cause => {
      throw tampered(manifest.host, `${name} is missing`, cause);
    });
  const sums = await read('SHA256SUMS');
  if (`sha256:${sha256(sums)}` !== manifest.sums) throw tampered(manifest.host, 'SHA256SUMS was changed');
  for (const line of sums.toString().trimEnd().split('\n')) {
    const [sum, name] = line.split('  ');
    if (sum === undefined || name === undefined || name.includes('/'))
      throw tampered(manifest.host, 'SHA256SUMS is wrong');
    if (sha256(await read(name)) !== sum) throw tampered(manifest.host, `${name} was changed`);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function attempt<T>(host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    const line = error.stderr.split('\n').find(one => /untrusted|corrupt|modified|not valid|mismatch|error/.test(one));
    throw tampered(host, (line ?? error.message).trim().replace(/^error: /, ''), error);
  }
}

function tampered(host: string, why: string, cause?: unknown): UserError {
  return new UserError(`The archive of ${host} is refused: ${why}.`, {
    where: { host },
    cure: 'Nothing was copied. Let the job that built it run again, and check which key signs it.',
    cause,
  });
}
