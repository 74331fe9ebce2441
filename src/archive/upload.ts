import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Log } from '../context.ts';
import { UserError } from '../errors.ts';
import { openGitHub, ownerAndRepo } from '../github.ts';
import type { Artifact, ArtifactStore } from './archive.ts';

/** What GitHub's services are asked with. */
export interface ArtifactAccess {
  /** With `actions: read`; null: artifacts of other runs cannot be read. */
  token: string | null;
  /** `owner/name`. */
  repository: string | null;
  /** The number of this run; null outside of one. */
  run: number | null;
  /** `GITHUB_API_URL`, as `https://api.github.com`. */
  api: string;
}

/** An artifact of another run that is to end sooner than this is not referred to: a later job may wait for an approval. */
const leastLifetime = 24 * 60 * 60 * 1000;

/**
 * GitHub's artifacts, through @actions/artifact, which is loaded when first needed: loading takes 90 ms.
 *
 * NARs are compressed already, so the zip stores them as they are.
 */
export function artifactStore(access: ArtifactAccess, log: Log): ArtifactStore {
  const client = async () => (await import('@actions/artifact')).default;

  /** Null: this run's own artifacts, which need no token. */
  const elsewhere = (run: number | null) => {
    if (run === null || run === access.run) return null;
    const [repositoryOwner, repositoryName] = access.repository?.split('/') ?? [];
    if (access.token === null || repositoryOwner === undefined || repositoryName === undefined) {
      throw new UserError(`The artifacts of run ${run} cannot be read without a token.`, {
        where: { input: 'github-token' },
        cure: 'Give `github-token` a token with the permission `actions: read`.',
      });
    }
    return { findBy: { token: access.token, workflowRunId: run, repositoryOwner, repositoryName } };
  };

  const store: ArtifactStore = {
    async upload(name, directory, files) {
      const artifacts = await client();
      const upload = () => artifacts.uploadArtifact(name, [...files], directory, { compressionLevel: 0 });
      const answer = await upload().catch(async error => {
        // An attempt of a run holds a name once (409); of another attempt it may hold it too, and the newest counts.
        if (!/\(409\)/.test(String(error))) throw error;
        log.info(`${name}: replaces the artifact of that name that this run already holds`);
        await artifacts.deleteArtifact(name);
        return upload();
      });
      if (answer.id === undefined || answer.digest === undefined) {
        throw new Error(`The results service took ${name} and named neither its id nor its digest`);
      }
      return { name, id: answer.id, digest: `sha256:${answer.digest}`, bytes: answer.size ?? 0, run: null };
    },

    async list(run) {
      const { artifacts } = await (await client()).listArtifacts({ latest: true, ...elsewhere(run) });
      return artifacts.map(({ name, id, digest, size }) => ({ name, id, digest: digest ?? '', bytes: size, run }));
    },

    async download(artifact, directory) {
      const options = { path: directory, ...elsewhere(artifact.run), expectedHash: artifact.digest };
      const { digestMismatch } = await (await client()).downloadArtifact(artifact.id, options);
      if (digestMismatch !== true) return;
      await rm(directory, { recursive: true, force: true });
      throw new UserError(`The artifact ${artifact.name} did not arrive as it was uploaded: its digest differs.`, {
        cure: 'Let the job run again; if it stays so, let the job that built the artifact run again.',
      });
    },

    async recall(key) {
      if (access.token === null) return null;
      try {
        const file = noteFile(key);
        const { restoreCache } = await import('@actions/cache');
        // The newest note for the key; see `remember`.
        if ((await restoreCache([noteName(key)], `${key}-`, [`${key}-`])) === undefined) return null;
        const noted = JSON.parse(await readFile(file, 'utf8')) as Artifact;
        await rm(file, { force: true });
        if (noted.run !== access.run) return (await isThere(noted, access)) ? noted : null;
        // Later jobs take the newest of its name, which another attempt of this run may have made of another closure.
        return (await store.list(null)).some(({ id }) => id === noted.id) ? { ...noted, run: null } : null;
      } catch (error) {
        // Not knowing costs an upload, no more.
        log.debug(`No earlier artifact for ${key}: ${error}`);
        return null;
      }
    },

    async remember(key, artifact) {
      if (access.token === null || access.run === null) return;
      const file = noteFile(key);
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, JSON.stringify({ ...artifact, run: access.run }));
        const { saveCache } = await import('@actions/cache');
        // An entry cannot be replaced: a later artifact for the same key, when this one is gone, has an entry of its own.
        await saveCache([noteName(key)], `${key}-${artifact.id}`);
      } catch (error) {
        log.debug(`The artifact of ${key} was not noted down: ${error}`);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
  return store;
}

/** Asks GitHub itself, because @actions/artifact lists expired artifacts too. @throws if GitHub knows no such artifact */
async function isThere({ id, digest }: Artifact, { api, repository, token }: ArtifactAccess): Promise<boolean> {
  if (repository === null || token === null) return false;
  const github = await openGitHub({ api, token });
  const { data } = await github.rest.actions.getArtifact({ ...ownerAndRepo(repository), artifact_id: id });
  const end = data.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(data.expires_at);
  return !data.expired && end - Date.now() > leastLifetime && data.digest === digest;
}

/** With `~`, so that the cache's version, a hash of this text, is the same for every user's home. */
function noteName(key: string): string {
  return `~/.cache/nix-ferry/artifacts/${key}.json`;
}

function noteFile(key: string): string {
  return noteName(key).replace('~', homedir());
}
