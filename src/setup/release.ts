import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { SetupConfig } from './config.ts';
import { download, fetchText, MissingError, type Patience } from './download.ts';
import { localSystem } from './systems.ts';

/** The version that is installed if none is requested. */
export const pinnedVersion = '2.34.4';

/** Nix's official releases. */
export const officialSource = 'https://releases.nixos.org/nix';

/** SHA-256 of the release tarballs, from the `install` script of each release. */
const pinnedHashes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '2.34.4': {
    'x86_64-linux': '595669eb6db6117135ca8ba6667b273eaf980a47523a92e61ed963556cd547b8',
    'aarch64-linux': '11f5dca5e2eccd7fca31d84ee16fbe18e8752c45a9ca223a1e55aaa16548a48b',
  },
  '2.35.2': {
    'x86_64-linux': '0c3960a9792331a22081c3c7a5d8465db9b17c50b3acdf18587fa4c6f2cb1158',
    'aarch64-linux': '4d0302a2910f5eec1c33b8deef634f04899a75737e7001ec49908d003ae5efda',
  },
};

/** The input `nix-version`. */
export interface WantedVersion {
  /** Null: any. */
  version: string | null;
  sha256: string | null;
  /** Only a Nix that is already installed. */
  systemOnly: boolean;
}

/** @throws UserError if it is neither a version, a version with a hash, nor `system` */
export function parseVersion(text: string | null): WantedVersion {
  if (text === null || text.trim() === '') return { version: null, sha256: null, systemOnly: false };
  if (text.trim() === 'system') return { version: null, sha256: null, systemOnly: true };
  const [, version, sha256] = /^v?(\d+\.\d+(?:\.\d+)?)(?:@sha256:([0-9a-f]{64}))?$/.exec(text.trim()) ?? [];
  if (version !== undefined) return { version, sha256: sha256 ?? null, systemOnly: false };
  throw new UserError(`input 'nix-version': '${text.trim()}' is not a version.`, {
    where: { input: 'nix-version' },
    cure: `Write a version such as ${pinnedVersion}, a version with its hash such as ${pinnedVersion}@sha256:<64 hex digits>, or system.`,
  });
}

/**
 * Downloads a release tarball to the scratch directory, or finds the local one, and checks its hash.
 *
 * @returns its path.
 * @throws UserError, UnreachableError, MissingError.
 */
export async function fetchRelease(
  wanted: WantedVersion,
  config: SetupConfig,
  context: Context,
  patience?: Patience,
): Promise<string> {
  const source = config.nixSource ?? officialSource;
  if (!/^https?:\/\//.test(source)) return localRelease(resolve(source), wanted, context);
  const version = wanted.version ?? pinnedVersion;
  const system = localSystem();
  const name = `nix-${version}-${system}.tar.xz`;
  const url = `${source.replace(/\/+$/, '')}/nix-${version}/${name}`;
  const file = join(context.scratch, name);
  const known = wanted.sha256 ?? pinnedHashes[version]?.[system];
  try {
    const sha256 = known ?? (await publishedHash(`${url}.sha256`, context, patience));
    await download(url, file, sha256, context, patience);
  } catch (error) {
    if (!(error instanceof MissingError)) throw error;
    throw new MissingError(`There is no Nix ${version} for ${system}: ${error.message}`, {
      where: { input: 'nix-version' },
      ...(error.cure === undefined ? {} : { cure: error.cure }),
    });
  }
  context.log.debug(`${url} has the expected SHA-256.`);
  return file;
}

async function publishedHash(url: string, context: Context, patience?: Patience): Promise<string> {
  const text = (await fetchText(url, context, patience)).trim();
  const hash = /^[0-9a-f]{64}(?=\s|$)/.exec(text)?.[0];
  if (hash === undefined) throw new UserError(`${url} does not contain a SHA-256.`, { where: { input: 'nix-source' } });
  context.log.info(`No hash is given for this version; trusting the one at ${url}: ${hash}.`);
  return hash;
}

async function localRelease(file: string, wanted: WantedVersion, context: Context): Promise<string> {
  if (!(await stat(file).catch(() => null))?.isFile()) {
    throw new UserError(`input 'nix-source': ${file} is not a file`, {
      where: { input: 'nix-source' },
      cure: "Write the part of a mirror's URL before `/nix-<version>/`, or the path of a release tarball.",
    });
  }
  const published = await readFile(`${file}.sha256`, 'utf8').catch(() => '');
  const expected = wanted.sha256 ?? /^[0-9a-f]{64}(?=\s|$)/.exec(published.trim())?.[0] ?? null;
  if (expected === null) {
    context.log.info(`No hash is given for ${file}; trusting it.`);
    return file;
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest('hex');
  if (actual === expected) return file;
  throw new UserError(`${basename(file)} is not used: its SHA-256 is ${actual}, not ${expected}.`, {
    where: { input: 'nix-source' },
    cure: 'Download the tarball again.',
  });
}

/** The distribution's CA certificates, which Nix finds by itself; null if there are none. */
export async function systemCertificates(): Promise<string | null> {
  for (const file of ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt']) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return null;
}
