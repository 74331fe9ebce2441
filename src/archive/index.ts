import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { size } from '../amounts.ts';
import type { Built } from '../build/built.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import type { Nix, PathInfo } from '../nix/index.ts';
import { pack } from '../nix/pack.ts';
import { publicKeyOf, signPaths } from '../nix/sign.ts';
import {
  type Archive,
  type ArchiveConfig,
  type Artifact,
  type ArtifactStore,
  archiveName,
  type Manifest,
  referenceFile,
} from './archive.ts';
import { chooseInside } from './inside.ts';
import { manifestDigest } from './manifest.ts';
import { plainPath } from './plain.ts';
import { addConfiguration, nixpkgsOf } from './source.ts';
import { filesOf, write } from './write.ts';

export type {
  Archive,
  ArchiveConfig,
  ArchiveStores,
  Artifact,
  ArtifactStore,
  Manifest,
  ManifestPath,
  Provenance,
} from './archive.ts';
export { archiveKinds, archiveName } from './archive.ts';
export { fetchArchives, readArchive, readArchives } from './fetch.ts';
export { importArchive } from './import.ts';
export { takeArchives } from './take.ts';
export { verifyArchive } from './verify.ts';

type BuiltHost = Extract<Built, { ok: true }>;

/**
 * Packs each built host's closure into a folder that is a binary cache of Nix (`file://`, zstd) with `manifest.json`,
 * `install` and `README` beside it, signs it when there is a key, and uploads it when `artifacts` is given.
 *
 * A path that several hosts share is compressed once. A folder appears under its name only when it is complete; one of
 * that name is replaced.
 *
 * @returns one entry for each host that was built, in their order; empty when `config.archive` is `none`.
 * @throws UserError when the signing key is not one, or the disk too small.
 */
export async function archive(
  built: Built[],
  config: ArchiveConfig,
  nix: Nix,
  context: Context,
  artifacts: ArtifactStore | null,
): Promise<Archive[]> {
  const { archive: kind } = config;
  const hosts = built.filter(one => one.ok);
  if (kind === 'none' || hosts.length === 0) return [];
  if (config.signingKey !== null) context.log.secret(config.signingKey.trim());
  const publicKey = config.signingKey === null ? null : await publicKeyOf(config.signingKey, nix);
  if (publicKey !== null) context.log.info(`Archives are signed; targets trust them with the public key ${publicKey}`);
  const configuration =
    config.includeSource && config.source !== null ? await addConfiguration(config.source, nix, context) : null;
  const closures = await Promise.all(hosts.map(host => withSource(host, configuration, nix, context)));
  const manifests = await Promise.all(
    closures.map(closure => manifestOf(closure, kind, publicKey, config.provenance, nix)),
  );

  await mkdir(config.directory, { recursive: true });
  const directory = await plainPath(config.directory, context);
  const pool = join(directory, '.pool');
  await rm(pool, { recursive: true, force: true });
  try {
    await packAll(closures, manifests, pool, nix, context);
    // A cancellation that came too late to end Nix.
    context.signal.throwIfAborted();
    if (config.signingKey !== null) {
      await signPaths(pool, [...pathsInside(manifests)], config.signingKey, nix, context);
    }
    return await mapConcurrently(manifests, 4, async manifest => {
      context.signal.throwIfAborted();
      const written = await write(manifest, pool, { ...config, directory }, nix, context);
      const one = { ...written, directory: join(config.directory, archiveName(written.host)) };
      if (artifacts === null) {
        say(context, one, 'done');
        return one;
      }
      context.signal.throwIfAborted();
      say(context, one, 'running', 'uploading');
      const artifact = await upload(one, config, artifacts, context);
      say(context, one, 'done');
      return { ...one, artifact };
    });
  } finally {
    rmSync(pool, { recursive: true, force: true });
  }
}

/** A host with all that its archive is to hold. */
interface Whole extends Pick<BuiltHost, 'host' | 'toplevel' | 'closure'> {
  source: Manifest['source'];
}

async function withSource(
  { host, toplevel, closure }: BuiltHost,
  configuration: string | null,
  nix: Nix,
  context: Context,
): Promise<Whole> {
  if (configuration === null) return { host, toplevel, closure, source: null };
  const nixpkgs = await nixpkgsOf(host.nixpkgs, nix);
  if (nixpkgs === null) {
    context.log.notice(`${host.name}: its nixpkgs does not go along: it is not pinned by a hash, or not in the store`);
  }
  const known = new Set(closure.map(({ path }) => path));
  const more = await nix.closure([configuration, ...(nixpkgs === null ? [] : [nixpkgs])]);
  const added = more.filter(({ path }) => !known.has(path));
  return { host, toplevel, closure: [...closure, ...added], source: { configuration, nixpkgs } };
}

async function manifestOf(
  { host, toplevel, closure, source }: Whole,
  kind: 'delta' | 'full',
  publicKey: string | null,
  { commit, repository, producer }: ArchiveConfig['provenance'],
  nix: Nix,
): Promise<Manifest> {
  const paths = chooseInside(closure, kind, host.nix);
  const held = { kind, host: host.name, system: host.system, toplevel, publicKey, source, paths };
  return {
    version: 1,
    ...held,
    hostName: await hostNameOf(toplevel),
    digest: manifestDigest(held),
    commit,
    repository,
    producer,
    nixVersion: nix.installation.version,
    nixpkgs: host.nixpkgs,
    // Known when all files are there; see write.ts.
    sums: '',
  };
}

/** NixOS writes `networking.hostName` to `etc/hostname` (nixos/modules/tasks/network-interfaces.nix). */
async function hostNameOf(toplevel: string): Promise<string | null> {
  try {
    return (await readFile(join(toplevel, 'etc/hostname'), 'utf8')).trim() || null;
  } catch {
    return null;
  }
}

/** Packs what lies inside of any archive, once, into `pool`. */
async function packAll(
  hosts: readonly Whole[],
  manifests: readonly Manifest[],
  pool: string,
  nix: Nix,
  context: Context,
): Promise<void> {
  const closure = new Map<string, PathInfo>();
  for (const host of hosts) for (const info of host.closure) closure.set(info.path, info);
  const inside = pathsInside(manifests);
  const pending = manifests.map(
    manifest => new Set(manifest.paths.filter(path => path.inside).map(({ path }) => path)),
  );
  const counts = pending.map(paths => paths.size);
  const packed = (path: string): void =>
    pending.forEach((paths, index) => {
      if (!paths.delete(path)) return;
      const all = counts[index] ?? 0;
      const text = `packing path ${all - paths.size} of ${all}`;
      context.progress({ host: (manifests[index] as Manifest).host, stage: 'archive', state: 'running', text });
    });
  const infos = [...inside].map(path => closure.get(path) as PathInfo);
  await pack(infos, closure, pool, nix, context, packed);
}

function pathsInside(manifests: readonly Manifest[]): Set<string> {
  return new Set(manifests.flatMap(({ paths }) => paths.filter(path => path.inside).map(({ path }) => path)));
}

async function upload(one: Archive, config: ArchiveConfig, artifacts: ArtifactStore, context: Context) {
  const key = `${archiveName(one.host)}-${one.digest.replace(':', '-')}`;
  const earlier = await artifacts.recall(key);
  if (earlier !== null) {
    const holder = earlier.run === null ? 'this run' : `run ${earlier.run} of this repository`;
    context.log.info(`${one.host}: ${holder} already holds this archive (${earlier.name})`);
    if (earlier.run !== null) await refer(earlier, archiveName(one.host), artifacts, context);
    return earlier;
  }
  const extra: string[] = [];
  if (config.provenance.run !== null) {
    // Beside the archive, not in it: the same closure keeps the same bytes.
    const file = join(one.directory, 'run.json');
    await writeFile(file, `${JSON.stringify({ run: config.provenance.run })}\n`);
    extra.push(file);
  }
  try {
    const artifact = await artifacts.upload(archiveName(one.host), one.directory, await filesOf(one.directory));
    await artifacts.remember(key, artifact);
    return artifact;
  } finally {
    for (const file of extra) await rm(file, { force: true });
  }
}

/** What a later job of this run finds instead of the archive: a small artifact of its name that says where it is. */
async function refer(earlier: Artifact, name: string, artifacts: ArtifactStore, context: Context): Promise<void> {
  const directory = await mkdtemp(join(context.scratch, 'reference-'));
  const file = join(directory, referenceFile);
  await writeFile(file, `${JSON.stringify(earlier)}\n`);
  await artifacts.upload(name, directory, [file]);
}

function say(context: Context, one: Archive, state: 'running' | 'done', text?: string): void {
  const whole = `${one.paths} of ${one.closurePaths} paths, ${size(one.bytes)}`;
  context.progress({ host: one.host, stage: 'archive', state, text: text ?? whole });
}
