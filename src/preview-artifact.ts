import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, ArtifactStore } from './archive/archive.ts';
import type { Context } from './context.ts';
import { explain } from './errors.ts';
import { type PreviewSubject, previewArtifact, previewData, previewFile } from './report/preview-data.ts';
import type { Run } from './report/run.ts';

/**
 * Uploads the complete result of a preview as an artifact of the run. If that fails, it is a warning.
 *
 * @param job the id of the run's job, which distinguishes the artifacts of its previews.
 * @returns null if the run is no preview, or if there is no artifact.
 */
export async function publishPreview(
  run: Run,
  subject: PreviewSubject,
  job: string,
  artifacts: Pick<ArtifactStore, 'upload'> | null,
  { scratch, log }: Pick<Context, 'scratch' | 'log'>,
): Promise<Artifact | null> {
  // Also if no host got that far: the comment for a fork is made from this.
  if (run.mode !== 'preview' || artifacts === null) return null;
  try {
    const directory = await mkdtemp(join(scratch, 'preview-'));
    const file = join(directory, previewFile);
    await writeFile(file, JSON.stringify(previewData(run, subject)));
    return await artifacts.upload(`${previewArtifact}${job}`, directory, [file], 6);
  } catch (error) {
    log.warning(`The result of the preview could not be uploaded as an artifact: ${explain(error)}`);
    return null;
  }
}
