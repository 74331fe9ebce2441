import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { explain, UserError } from '../errors.ts';
import {
  type Archive,
  type Artifact,
  type ArtifactStore,
  archiveName,
  type Manifest,
  referenceFile,
} from './archive.ts';
import { plainPath } from './plain.ts';
import { openArchive } from './verify.ts';

/**
 * Reads an archive that lies on this machine.
 *
 * @param path its folder, or the zip of an artifact, which is unpacked below `context.scratch`.
 */
export async function readArchive(path: string, context: Context): Promise<Archive & { manifest: Manifest }> {
  let directory = await plainPath(resolve(path), context);
  if (path.endsWith('.zip')) {
    directory = await mkdtemp(join(context.scratch, 'archive-'));
    await context.exec('unzip', ['-q', resolve(path), '-d', directory], { signal: context.signal });
  }
  const { archive, manifest } = await openArchive(directory);
  return { ...archive, manifest };
}

/** Reads the archive at `path` (see `readArchive`) or, where it is a folder of archives, as `ferry archive` makes it, all of them. */
export async function readArchives(path: string, context: Context): Promise<(Archive & { manifest: Manifest })[]> {
  const entries = path.endsWith('.zip') ? [] : await readdir(path).catch(() => []);
  const folders = entries.filter(entry => entry.startsWith(archiveName(''))).sort();
  if (entries.includes('manifest.json') || folders.length === 0) return [await readArchive(path, context)];
  return Promise.all(folders.map(folder => readArchive(join(path, folder), context)));
}

/**
 * Downloads the archives of a run and reads them.
 *
 * @param hosts whose archives are wanted; null: all of them.
 * @param run whose artifacts; null: this run's.
 * @param directory each archive becomes the folder `closure-<host>` in it.
 * @throws UserError when one is not there, or does not arrive as it was uploaded.
 */
export async function fetchArchives(
  hosts: readonly string[] | null,
  run: number | null,
  directory: string,
  artifacts: ArtifactStore,
): Promise<(Archive & { manifest: Manifest })[]> {
  const prefix = archiveName('');
  const listed = (await artifacts.list(run)).filter(({ name }) => name.startsWith(prefix));
  const wanted = hosts?.map(archiveName) ?? [...new Set(listed.map(({ name }) => name))].sort();
  const found = wanted.map(name => {
    const artifact = listed.find(one => one.name === name);
    if (artifact !== undefined) return artifact;
    const there = listed.length === 0 ? 'none' : listed.map(one => one.name.slice(prefix.length)).join(', ');
    throw new UserError(`Run ${run ?? 'in progress'} holds no archive of ${name.slice(prefix.length)}.`, {
      cure: `It has those of: ${there}. Let the job that builds it run before this one.`,
    });
  });
  const read: (Archive & { manifest: Manifest })[] = [];
  for (const artifact of found) {
    const target = join(directory, artifact.name);
    await download(artifact, target, artifacts);
    const { archive, manifest } = await openArchive(target);
    if (archiveName(manifest.host) !== artifact.name) {
      throw new UserError(`The artifact ${artifact.name} holds the archive of ${manifest.host}.`, {
        where: { host: manifest.host },
        cure: 'Nothing was copied. Let the job that built it run again.',
      });
    }
    read.push({ ...archive, artifact, manifest });
  }
  return read;
}

/** Downloads an artifact, or the one of an earlier run that it refers to. */
async function download(artifact: Artifact, directory: string, artifacts: ArtifactStore): Promise<void> {
  const fetchInto = async (one: Artifact): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await artifacts.download(one, directory);
  };
  await fetchInto(artifact);
  const reference = await readFile(join(directory, referenceFile), 'utf8').catch(() => null);
  if (reference === null) return;
  const held = JSON.parse(reference) as Artifact;
  await fetchInto(held).catch(cause => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `${artifact.name} is held by run ${held.run}, from which it cannot be had: ${explain(cause)}.`,
      {
        cure: 'Let the job that builds it run again: it uploads what that run no longer holds.',
        cause,
      },
    );
  });
}
