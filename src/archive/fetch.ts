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
  type Reference,
  referenceFile,
} from './archive.ts';
import { plainPath } from './plain.ts';
import { openArchive } from './verify.ts';

/**
 * Reads an archive on this machine.
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

/** Reads the archive at `path` (see `readArchive`) or, if it is a folder of archives such as `ferry archive` makes, all of them. */
export async function readArchives(path: string, context: Context): Promise<(Archive & { manifest: Manifest })[]> {
  const entries = path.endsWith('.zip') ? [] : await readdir(path).catch(() => []);
  const folders = entries.filter(entry => entry.startsWith(archiveName(''))).sort();
  if (entries.includes('manifest.json') || folders.length === 0) return [await readArchive(path, context)];
  return Promise.all(folders.map(folder => readArchive(join(path, folder), context)));
}

/**
 * Downloads the archives of a run and reads them.
 *
 * @param hosts the hosts whose archives are wanted; null: all of them.
 * @param run the run that has the artifacts; null: this run.
 * @param directory each archive becomes the folder `closure-<host>` in it.
 * @throws UserError if one does not exist, or is not downloaded as it was uploaded.
 */
export async function fetchArchives(
  hosts: readonly string[] | null,
  run: number | null,
  directory: string,
  artifacts: ArtifactStore,
): Promise<(Archive & { manifest: Manifest })[]> {
  if (run !== null) await artifacts.checkRun(run);
  const prefix = archiveName('');
  const listed = (await artifacts.list(run)).filter(({ name }) => name.startsWith(prefix));
  const wanted = hosts?.map(archiveName) ?? [...new Set(listed.map(({ name }) => name))].sort();
  const found = wanted.map(name => {
    const artifact = listed.find(one => one.name === name);
    if (artifact !== undefined) return artifact;
    const existing = listed.length === 0 ? 'none' : listed.map(one => one.name.slice(prefix.length)).join(', ');
    const which = run === null ? 'This run' : `Run ${run}`;
    throw new UserError(`${which} has no archive of ${name.slice(prefix.length)}.`, {
      cure: `It has archives of: ${existing}. Run the job that builds it before this one.`,
    });
  });
  const read: (Archive & { manifest: Manifest })[] = [];
  for (const artifact of found) {
    const target = join(directory, artifact.name);
    const digest = await download(artifact, target, artifacts);
    const { archive, manifest } = await openArchive(target);
    if (digest !== null && archive.digest !== digest) {
      throw new UserError(`The artifact ${artifact.name} of an earlier run is not the archive that this run made.`, {
        where: { host: manifest.host },
        cure: 'Nothing was copied. Rerun the job that built it.',
      });
    }
    if (archiveName(manifest.host) !== artifact.name) {
      throw new UserError(`The artifact ${artifact.name} contains the archive of another host, ${manifest.host}.`, {
        where: { host: manifest.host },
        cure: 'Nothing was copied. Rerun the job that built it.',
      });
    }
    // An earlier run made it, from an older commit, whose age says nothing about the commit of this run.
    const known = digest === null ? manifest : { ...manifest, branch: null, committed: null };
    read.push({ ...archive, artifact, manifest: known });
  }
  return read;
}

/**
 * Downloads an artifact, or the one of an earlier run that it refers to.
 *
 * @returns the digest that the archive must have; null if it is not a reference.
 */
async function download(artifact: Artifact, directory: string, artifacts: ArtifactStore): Promise<string | null> {
  const fetchInto = async (one: Artifact): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await artifacts.download(one, directory);
  };
  await fetchInto(artifact);
  const reference = await readFile(join(directory, referenceFile), 'utf8').catch(() => null);
  if (reference === null) return null;
  const { artifact: referred, digest } = JSON.parse(reference) as Reference;
  await fetchInto(referred).catch(cause => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `${artifact.name} is an artifact of run ${referred.run} and could not be downloaded from there: ${explain(cause)}.`,
      {
        cure: 'Rerun the job that builds it; it uploads the archive again.',
        cause,
      },
    );
  });
  return digest;
}
