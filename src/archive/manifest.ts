import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { checkHostName } from '../plan/index.ts';
import type { Archive, Manifest, ManifestPath } from './archive.ts';

/**
 * The text of `manifest.json`: keys in a fixed order, one path per line, a newline at the end, so that the same manifest
 * has the same bytes and the installer can read it with sed and awk.
 */
export function writeManifest(manifest: Manifest): string {
  const head = (['version', ...Object.keys(shape)] as (keyof Manifest)[]).filter(
    key => key !== 'paths' && manifest[key] !== undefined,
  );
  const fields = head.map(key => ` ${JSON.stringify(key)}: ${JSON.stringify(manifest[key])},`);
  const lines = manifest.paths.map(path => `  ${JSON.stringify(ordered(path))}`);
  return `{\n${fields.join('\n')}\n "paths": [\n${lines.join(',\n')}\n ]\n}\n`;
}

/** sha256 of the archive's content; see Archive.digest. */
export function manifestDigest(
  manifest: Pick<Manifest, 'kind' | 'host' | 'system' | 'toplevel' | 'publicKey' | 'source' | 'paths'>,
): string {
  const { kind, host, system, toplevel, publicKey, source, paths } = manifest;
  const content = JSON.stringify([1, kind, host, system, toplevel, publicKey, source, paths.map(ordered)]);
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/**
 * Reads `manifest.json` and checks its version, every field and its digest.
 *
 * @param file the name to use in errors.
 * @throws UserError that names the wrong field.
 */
export function parseManifest(text: string, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, 'it is not JSON', cause);
  }
  if (!isObject(value)) throw damaged(file, 'it is not an object');
  if (value.version !== 1) {
    throw new UserError(`${file} has version ${JSON.stringify(value.version)}; this program reads version 1.`, {
      where: { file },
      cure: 'Use the release of Nix Ferry that made the archive, or a newer one.',
    });
  }
  for (const [field, is] of Object.entries(shape)) {
    if (value[field] === undefined && optional.includes(field)) continue;
    if (!is(value[field])) throw damaged(file, `its field "${field}" is ${problem(value[field])}`);
  }
  const manifest = value as unknown as Manifest;
  manifest.paths.forEach((path, index) => {
    for (const [field, is] of Object.entries(pathShape)) {
      const entry: Record<string, unknown> = { ...path };
      if (!is(entry[field])) throw damaged(file, `"${field}" of path ${index + 1} is ${problem(entry[field])}`);
    }
  });
  checkHostName(manifest.host, file);
  if (!manifest.paths.some(({ path }) => path === manifest.toplevel)) {
    throw damaged(file, 'its toplevel is not among its paths');
  }
  if (manifestDigest(manifest) !== manifest.digest) throw damaged(file, 'its content does not match its digest');
  return manifest;
}

/** The fields of the manifest, in the order of schemas/manifest-1.json. */
export const shape: Readonly<Record<Exclude<keyof Manifest, 'version'>, (value: unknown) => boolean>> = {
  kind: value => value === 'delta' || value === 'full',
  host: isText,
  hostName: isTextOrNull,
  system: value => isText(value) && /^[a-z0-9_]+-[a-z0-9]+$/.test(value),
  toplevel: isStorePath,
  digest: value => isText(value) && /^sha256:[0-9a-f]{64}$/.test(value),
  publicKey: value => value === null || (isText(value) && /^[^:]+:[A-Za-z0-9+/]+=*$/.test(value)),
  commit: value => value === null || (isText(value) && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(value)),
  repository: isTextOrNull,
  branch: isTextOrNull,
  committed: value => value === null || (Number.isSafeInteger(value) && (value as number) >= 0),
  producer: isText,
  nixVersion: isText,
  nixpkgs: value => value === null || isObject(value),
  source: value =>
    value === null ||
    (isObject(value) && isStorePath(value.configuration) && (value.nixpkgs === null || isStorePath(value.nixpkgs))),
  sums: value => isText(value) && /^sha256:[0-9a-f]{64}$/.test(value),
  paths: value => Array.isArray(value) && value.length > 0 && value.every(isObject),
};

/** The fields that older releases left out. */
export const optional: readonly string[] = ['branch', 'committed'] satisfies (keyof Manifest)[];

/** The fields of each path. */
export const pathShape: Readonly<Record<keyof ManifestPath, (value: unknown) => boolean>> = {
  path: isStorePath,
  narHash: value => isText(value) && /^sha256-[A-Za-z0-9+/]{43}=$/.test(value),
  narSize: value => Number.isSafeInteger(value) && (value as number) > 0,
  inside: value => typeof value === 'boolean',
  cache: isTextOrNull,
};

function ordered({ path, narHash, narSize, inside, cache }: ManifestPath): ManifestPath {
  return { path, narHash, narSize, inside, cache };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTextOrNull(value: unknown): boolean {
  return value === null || isText(value);
}

/** Names of store objects: Nix's src/libstore/path.cc. */
function isStorePath(value: unknown): boolean {
  return isText(value) && /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+\-._?=]{1,211}$/.test(value);
}

function problem(value: unknown): string {
  return value === undefined ? 'missing' : `wrong: ${JSON.stringify(value).slice(0, 100)}`;
}

function damaged(file: string, why: string, cause?: unknown): UserError {
  return new UserError(`The archive's ${file} is damaged: ${why}.`, {
    where: { file },
    cure: 'Download the artifact again, or rerun the job that built it.',
    cause,
  });
}

/** Describes the archive in `directory` by its manifest. `bytes` is the size of its files. */
export function archiveOf(manifest: Manifest, directory: string, bytes: number): Archive {
  const { host, system, toplevel, kind, digest, publicKey, paths } = manifest;
  const inside = paths.filter(path => path.inside);
  return {
    ...{ host, system, toplevel, kind, directory, bytes, digest, publicKey },
    paths: inside.length,
    closurePaths: paths.length,
    closureBytes: paths.reduce((sum, { narSize }) => sum + narSize, 0),
    insideBytes: inside.reduce((sum, { narSize }) => sum + narSize, 0),
    artifact: null,
  };
}
