import { rm, stat } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { within } from '../time-limits.ts';
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

/** How long the services may take. The client repeats requests for up to a quarter of an hour, and nothing can stop it. */
export interface Limits {
  /** Seconds for a request and its repetitions. */
  request: number;
  /** A transfer has one second more for each of so many bytes. */
  bytesPerSecond: number;
}

const patience: Limits = { request: 600, bytesPerSecond: 50_000 };

type Surroundings = Pick<Context, 'log' | 'signal'>;

/**
 * GitHub's artifacts, through @actions/artifact, which is loaded when it is first needed, since loading takes 90 ms.
 *
 * NARs are already compressed, so by default the zip stores files uncompressed.
 */
export function artifactStore(access: ArtifactAccess, surroundings: Surroundings, limits = patience): ArtifactStore {
  const store = resultsService(access, surroundings, limits);
  return { ...store, ...earlierArtifacts(access, () => store.list(null), surroundings.log) };
}

function resultsService(
  access: ArtifactAccess,
  { log, signal }: Surroundings,
  limits: Limits,
): Pick<ArtifactStore, 'upload' | 'list' | 'checkRun' | 'download'> {
  const client = async () => (await import('@actions/artifact')).default;
  const inTime = <T>(bytes: number, request: Promise<T>): Promise<T> =>
    within(Math.ceil(limits.request + bytes / limits.bytesPerSecond), request, signal);
  return {
    async upload(name, directory, files, compression = 0) {
      const artifacts = await client();
      const sizes = await Promise.all(files.map(async file => (await stat(file)).size));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      const upload = () =>
        inTime(bytes, artifacts.uploadArtifact(name, [...files], directory, { compressionLevel: compression }));
      const uploaded = await upload().catch(async error => {
        // Within one attempt of a run, a name is unique (409). Another attempt may have used it too; the newest counts.
        if (!/\(409\)/.test(String(error))) throw error;
        log.info(`${name}: replacing the artifact with this name that this run already uploaded`);
        await inTime(0, artifacts.deleteArtifact(name));
        return upload();
      });
      if (uploaded.id === undefined || uploaded.digest === undefined) {
        throw new Error(`The results service accepted ${name} but returned no id or no digest`);
      }
      return { name, id: uploaded.id, digest: `sha256:${uploaded.digest}`, bytes: uploaded.size ?? 0, run: null };
    },

    async list(run) {
      const listing = (await client()).listArtifacts({ latest: true, ...otherRun(run, access) });
      const { artifacts } = await inTime(0, listing);
      return artifacts.map(({ name, id, digest, size }) => ({ name, id, digest: digest ?? '', bytes: size, run }));
    },

    async checkRun(run) {
      if (otherRun(run, access) !== null) await checkRun(run, access);
    },

    async download(artifact, directory) {
      const options = { path: directory, ...otherRun(artifact.run, access), expectedHash: artifact.digest };
      const downloading = (await client()).downloadArtifact(artifact.id, options);
      const { digestMismatch } = await inTime(artifact.bytes, downloading);
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
