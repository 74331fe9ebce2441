import { rm } from 'node:fs/promises';
import type { Log } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Artifact, ArtifactStore } from './archive.ts';
import { checkRun } from './check-run.ts';
import { earlierArtifacts } from './earlier.ts';

/** What GitHub's services are called with. */
export interface ArtifactAccess {
  /** With `actions: read`; null: artifacts of other runs cannot be read. */
  token: string | null;
  /** `owner/name`. */
  repository: string | null;
  /** The number of this run; null outside of one. */
  run: number | null;
  /** The branch or tag of this run, `GITHUB_REF_NAME`; null outside of one. */
  ref: string | null;
  /** Authenticates the records for later runs; null: nothing is recorded. */
  secret: string | null;
  /** `GITHUB_API_URL`, such as `https://api.github.com`. */
  api: string;
}

/**
 * GitHub's artifacts, through @actions/artifact, which is loaded when it is first needed, since loading takes 90 ms.
 *
 * NARs are already compressed, so the zip stores them uncompressed.
 */
export function artifactStore(access: ArtifactAccess, log: Log): ArtifactStore {
  const store = resultsService(access, log);
  return { ...store, ...earlierArtifacts(access, () => store.list(null), log) };
}

function resultsService(
  access: ArtifactAccess,
  log: Log,
): Pick<ArtifactStore, 'upload' | 'list' | 'checkRun' | 'download'> {
  const client = async () => (await import('@actions/artifact')).default;
  return {
    async upload(name, directory, files) {
      const artifacts = await client();
      const upload = () => artifacts.uploadArtifact(name, [...files], directory, { compressionLevel: 0 });
      const uploaded = await upload().catch(async error => {
        // Within one attempt of a run, a name is unique (409). Another attempt may have used it too; the newest counts.
        if (!/\(409\)/.test(String(error))) throw error;
        log.info(`${name}: replacing the artifact with this name that this run already uploaded`);
        await artifacts.deleteArtifact(name);
        return upload();
      });
      if (uploaded.id === undefined || uploaded.digest === undefined) {
        throw new Error(`The results service accepted ${name} but returned no id or no digest`);
      }
      return { name, id: uploaded.id, digest: `sha256:${uploaded.digest}`, bytes: uploaded.size ?? 0, run: null };
    },

    async list(run) {
      const { artifacts } = await (await client()).listArtifacts({ latest: true, ...otherRun(run, access) });
      return artifacts.map(({ name, id, digest, size }) => ({ name, id, digest: digest ?? '', bytes: size, run }));
    },

    async checkRun(run) {
      if (otherRun(run, access) !== null) await checkRun(run, access);
    },

    async download(artifact, directory) {
      const options = { path: directory, ...otherRun(artifact.run, access), expectedHash: artifact.digest };
      const { digestMismatch } = await (await client()).downloadArtifact(artifact.id, options);
      if (digestMismatch !== true) return;
      await rm(directory, { recursive: true, force: true });
      throw new UserError(`The artifact ${artifact.name} was not downloaded as it was uploaded: its digest differs.`, {
        cure: 'Rerun the job; if it fails again, rerun the job that built the artifact.',
      });
    },
  };
}

/** Options that select another run; null for this run's own artifacts, which need no token. */
function otherRun(run: Artifact['run'], access: ArtifactAccess) {
  if (run === null || run === access.run) return null;
  const [repositoryOwner, repositoryName] = access.repository?.split('/') ?? [];
  if (access.token === null || repositoryOwner === undefined || repositoryName === undefined) {
    throw new UserError(`The artifacts of run ${run} cannot be read without a token.`, {
      where: { input: 'github-token' },
      cure: 'Set `github-token` to a token with the permission `actions: read`.',
    });
  }
  return { findBy: { token: access.token, workflowRunId: run, repositoryOwner, repositoryName } };
}
