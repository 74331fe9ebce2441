import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { size } from '../amounts.ts';
import type { Built } from '../build/built.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import { pack } from '../nix/pack.ts';
import { publicKeyOf, signPaths } from '../nix/sign.ts';
import { type Archive, type ArchiveConfig, type ArtifactStore, archiveName, type Manifest } from './archive.ts';
import { contentsOf, insideOf, manifestOf, pathsInside } from './contents.ts';
import { plainPath } from './plain.ts';
import { publish } from './publish.ts';
import { addConfiguration } from './source.ts';
import { write } from './write.ts';

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
export { enterManifest } from './manifest-entry.ts';
export { takeArchives } from './take.ts';
export { manifestPath, verifyArchive } from './verify.ts';

/**
 * Packs each built host's closure into a folder that is a binary cache of Nix (`file://`, zstd) with `manifest.json`,
 * `install` and `README`, signs it if there is a key, and uploads it if `artifacts` is given.
 *
 * A path that several hosts share is compressed once. A folder appears under its name only when it is complete, and
 * replaces an earlier one.
 *
 * @returns one entry for each host that was built, in their order; empty when `config.archive` is `none`.
 * @throws UserError if the signing key is wrong or the disk too small; Error if the run is cancelled.
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
  const contents = await Promise.all(hosts.map(host => contentsOf(host, configuration, nix, context)));
  const manifests = await Promise.all(contents.map(one => manifestOf(one, kind, publicKey, config.provenance, nix)));

  await mkdir(config.directory, { recursive: true });
  const directory = await plainPath(config.directory, context);
  const pool = join(directory, '.pool');
  await rm(pool, { recursive: true, force: true });
  try {
    const onPath = countPaths(manifests, context);
    await pack({ ...insideOf(contents, manifests), directory: pool, onPath }, nix, context);
    // Nix may have packed the last path before the cancellation reached it.
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
      const artifact = await publish(one, config.provenance.run, artifacts, context);
      say(context, one, 'done');
      return { ...one, artifact };
    });
  } finally {
    rmSync(pool, { recursive: true, force: true });
  }
}

/** Reports progress for each host: the returned function is called with each path that Nix starts to pack. */
function countPaths(manifests: readonly Manifest[], context: Context): (path: string) => void {
  const hosts = manifests.map(manifest => {
    const pending = pathsInside([manifest]);
    return { host: manifest.host, pending, count: pending.size };
  });
  return path => {
    for (const { host, pending, count } of hosts) {
      if (!pending.delete(path)) continue;
      const text = `packing path ${count - pending.size} of ${count}`;
      context.progress({ host, stage: 'archive', state: 'running', text });
    }
  };
}

function say(context: Context, one: Archive, state: 'running' | 'done', text?: string): void {
  const whole = `${one.paths} of ${one.closurePaths} paths, ${size(one.bytes)}`;
  context.progress({ host: one.host, stage: 'archive', state, text: text ?? whole });
}
