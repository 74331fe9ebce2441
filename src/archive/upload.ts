import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Log } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Artifact, ArtifactStore } from './archive.ts';

/** What GitHub's services are asked with. */
export interface ArtifactAccess {
  /** With `actions: read`; null: artifacts of other runs cannot be read. */
  token: string | null;
  /** `owner/name`. */
  repository: string | null;
  /** The number of this run; null outside of one. */
  run: number | null;
}

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
      const answer = await (await client()).uploadArtifact(name, [...files], directory, { compressionLevel: 0 });
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
        if ((await restoreCache([noteName(key)], key)) === undefined) return null;
        const noted = JSON.parse(await readFile(file, 'utf8')) as Artifact;
        await rm(file, { force: true });
        const there = (await store.list(noted.run)).find(({ id }) => id === noted.id);
        return there?.digest === noted.digest ? noted : null;
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
        await saveCache([noteName(key)], key);
      } catch (error) {
        log.debug(`The artifact of ${key} was not noted down: ${error}`);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
  return store;
}

/** With `~`, so that the cache's version, a hash of this text, is the same for every user's home. */
function noteName(key: string): string {
  return `~/.cache/nix-ferry/artifacts/${key}.json`;
}

function noteFile(key: string): string {
  return noteName(key).replace('~', homedir());
}
