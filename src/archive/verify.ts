import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure, UserError } from '../errors.ts';
import { inParts } from '../nix/arguments.ts';
import { type Nix, parsePathInfo } from '../nix/index.ts';
import type { Archive, Manifest } from './archive.ts';
import { archiveOf, parseManifest } from './manifest.ts';
import { hasEntry } from './manifest-entry.ts';
import { sizeOf } from './write.ts';

/**
 * Checks all of an archive before any of it is used: the fields and the digest of the manifest; that each path inside
 * exists, has the NAR hash of the manifest, and unpacks to that hash; and, if keys are given, that the manifest and each
 * path inside are signed by one of them.
 *
 * @param trustedKeys in Nix's form `name:base64`. Without keys only hashes are checked, which detects damage, but not an
 *   archive that someone else made.
 * @throws UserError that names the first path that is wrong.
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
  if (trustedKeys.length > 0 && manifest.publicKey === null) throw refused(manifest.host, 'it is not signed');
  const own = await manifestPath(directory, manifest.host, nix);
  await verifySums(directory, manifest);
  const verify = (paths: readonly string[]) =>
    attempt(manifest.host, () =>
      nix.run('nix', ['store', 'verify', '--store', store, ...trust, ...paths], { signal: context.signal }),
    );
  await verify([own]);
  for (const some of inParts(inside)) {
    const paths = some.map(({ path }) => path);
    const infos = await attempt(manifest.host, async () => {
      const { stdout } = await nix.run('nix', ['path-info', '--json', '--store', store, ...paths]);
      return new Map(parsePathInfo(stdout).map(info => [info.path, info]));
    });
    for (const { path, narHash, narSize } of some) {
      const info = infos.get(path);
      if (info === undefined) throw refused(manifest.host, `${path} is missing`);
      if (info.narHash !== narHash || info.narSize !== narSize) {
        throw refused(manifest.host, `${path} does not have the hash and size in the manifest`);
      }
    }
    await verify(paths);
  }
  return { ...archive, manifest };
}

/** Reads an archive's manifest and checks nothing but its fields and its digest. @throws UserError */
export async function openArchive(directory: string): Promise<{ archive: Archive; manifest: Manifest }> {
  const file = join(directory, 'manifest.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(`${directory} is not an archive: it contains no manifest.json.`, {
      where: { file: directory },
      cure: 'Give the folder that the artifact was unpacked to.',
      cause,
    });
  }
  const manifest = parseManifest(text, 'manifest.json');
  const archive = archiveOf(manifest, directory, await sizeOf(directory));
  return { archive, manifest };
}

/** The store path that is derived from the manifest's bytes; see manifest-entry.ts. */
export async function manifestPath(directory: string, host: string, nix: Nix): Promise<string> {
  const hash = await nix.run('nix-hash', ['--type', 'sha256', '--flat', '--base32', join(directory, 'manifest.json')]);
  const fixed = await nix.run('nix-store', ['--print-fixed-path', 'sha256', hash.stdout.trim(), 'manifest.json']);
  const path = fixed.stdout.trim();
  if (!(await hasEntry(path, directory))) throw refused(host, 'manifest.json or its entry was changed');
  return path;
}

/** Checks the small files by SHA256SUMS, whose hash is in the manifest. */
async function verifySums(directory: string, manifest: Manifest): Promise<void> {
  const read = (name: string): Promise<Buffer> =>
    readFile(join(directory, name)).catch(cause => {
      throw refused(manifest.host, `${name} is missing`, cause);
    });
  const sums = await read('SHA256SUMS');
  if (`sha256:${sha256(sums)}` !== manifest.sums) throw refused(manifest.host, 'SHA256SUMS was changed');
  for (const line of sums.toString().trimEnd().split('\n')) {
    const [sum, name] = line.split('  ');
    if (sum === undefined || name === undefined || name.includes('/'))
      throw refused(manifest.host, 'SHA256SUMS is damaged');
    if (sha256(await read(name)) !== sum) throw refused(manifest.host, `${name} was changed`);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws UserError if a command of `work` fails */
async function attempt<T>(host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    const line = error.stderr.split('\n').find(one => /untrusted|corrupt|modified|not valid|mismatch|error/.test(one));
    throw refused(host, (line ?? error.message).trim().replace(/^error: /, ''), error);
  }
}

function refused(host: string, why: string, cause?: unknown): UserError {
  return new UserError(`The archive of ${host} is refused: ${why}.`, {
    where: { host },
    cure: 'Nothing was copied. Rerun the job that built it, and check which key signs it.',
    cause,
  });
}
