import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import {
  type Archive,
  type Artifact,
  type ArtifactStore,
  archiveName,
  type Reference,
  referenceFile,
} from './archive.ts';
import { filesOf } from './write.ts';

/**
 * Uploads an archive, unless an artifact that still exists has the same content.
 *
 * @param run address of this run, which is uploaded with the archive; null: unknown.
 */
export async function publish(
  archive: Archive,
  run: string | null,
  artifacts: ArtifactStore,
  context: Context,
): Promise<Artifact> {
  const name = archiveName(archive.host);
  const key = `${name}-${archive.digest.replace(':', '-')}`;
  const earlier = await artifacts.recall(key);
  if (earlier !== null) {
    const holder = earlier.run === null ? 'this run' : `run ${earlier.run} of this repository`;
    context.log.info(`${archive.host}: ${holder} already uploaded this archive (${earlier.name})`);
    if (earlier.run !== null) await refer({ artifact: earlier, digest: archive.digest }, artifacts, context);
    return earlier;
  }
  // It is next to the archive's files but not part of the archive: the same closure keeps the same bytes.
  const runFile = join(archive.directory, 'run.json');
  try {
    if (run !== null) await writeFile(runFile, `${JSON.stringify({ run })}\n`);
    const artifact = await artifacts.upload(name, archive.directory, await filesOf(archive.directory));
    await artifacts.remember(key, artifact);
    return artifact;
  } finally {
    await rm(runFile, { force: true });
  }
}

/** Uploads, in place of the archive, a small artifact with its name from which a later job of this run learns where it is. */
async function refer(reference: Reference, artifacts: ArtifactStore, context: Context): Promise<void> {
  const directory = await mkdtemp(join(context.scratch, 'reference-'));
  const file = join(directory, referenceFile);
  await writeFile(file, `${JSON.stringify(reference)}\n`);
  await artifacts.upload(reference.artifact.name, directory, [file]);
}
