import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Log } from '../context.ts';
import { openGitHub, ownerAndRepo } from '../github.ts';
import { within } from '../time-limits.ts';
import type { Artifact, ArtifactStore } from './archive.ts';
import type { ArtifactAccess } from './upload.ts';

/** Milliseconds: an artifact that expires sooner is not referred to, because a later job may wait for an approval. */
const leastLifetime = 24 * 60 * 60 * 1000;

/** Seconds for saving or restoring a record, which has some hundred bytes. */
const requestLimit = 30;

/** A record is too small to cancel its transfer. */
const never = new AbortController().signal;

/**
 * Remembers artifacts between the runs of a repository, as small entries of the Actions cache that are authenticated with
 * the signing key, as plans are. If anything fails, the archive is uploaded again.
 *
 * @param list the artifacts of this run.
 */
export function earlierArtifacts(
  access: ArtifactAccess,
  list: () => Promise<Artifact[]>,
  log: Log,
): Pick<ArtifactStore, 'recall' | 'remember'> {
  return {
    async recall(key) {
      if (access.token === null || access.secret === null) return null;
      try {
        const file = recordFile(key);
        const { restoreCache } = await import('@actions/cache');
        // The newest record for the key; see `remember`.
        const restored = restoreCache([recordName(key)], `${key}-`, [`${key}-`]);
        if ((await within(requestLimit, restored, never)) === undefined) return null;
        const recorded = authenticated(await readFile(file, 'utf8'), key, access.secret);
        await rm(file, { force: true });
        if (recorded === null) {
          log.warning(
            `The record of an earlier artifact for ${key} was not made with \`signing-key\` and is not used.`,
          );
          return null;
        }
        if (recorded.run !== access.run) return (await exists(recorded, access)) ? recorded : null;
        // Later jobs use the newest artifact of a name, which another attempt of this run may have made for another closure.
        return (await list()).some(({ id }) => id === recorded.id) ? { ...recorded, run: null } : null;
      } catch (error) {
        log.debug(`No earlier artifact for ${key}: ${error}`);
        return null;
      }
    },

    async remember(key, artifact) {
      if (access.token === null || access.run === null || access.secret === null) return;
      const file = recordFile(key);
      try {
        await mkdir(dirname(file), { recursive: true });
        const text = JSON.stringify({ ...artifact, run: access.run });
        await writeFile(file, JSON.stringify({ text, mac: mac(key, text, access.secret) } satisfies Entry));
        const { saveCache } = await import('@actions/cache');
        // Entries cannot be replaced, so a later artifact for the same key gets a separate entry.
        await within(requestLimit, saveCache([recordName(key)], `${key}-${artifact.id}`), never);
      } catch (error) {
        log.debug(`The artifact for ${key} was not recorded: ${error}`);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}

/** The content of a record: `text` is an `Artifact` as JSON. */
interface Entry {
  text: string;
  mac: string;
}

function mac(key: string, text: string, secret: string): string {
  return createHmac('sha256', secret.trim())
    .update(JSON.stringify(['artifact', key, text]))
    .digest('hex');
}

/**
 * The artifact of a record that was made with `secret` for `key`; null for any other: write access to the cache must not be
 * enough to choose what is deployed.
 */
function authenticated(json: string, key: string, secret: string): Artifact | null {
  const entry = JSON.parse(json) as Partial<Entry>;
  const [made, expected] = [Buffer.from(String(entry.mac)), Buffer.from(mac(key, String(entry.text), secret))];
  if (made.length !== expected.length || !timingSafeEqual(made, expected)) return null;
  return JSON.parse(String(entry.text)) as Artifact;
}

/** Asks GitHub itself, because @actions/artifact lists expired artifacts too. @throws if GitHub has no such artifact */
async function exists({ id, digest }: Artifact, { api, repository, token }: ArtifactAccess): Promise<boolean> {
  if (repository === null || token === null) return false;
  const github = await openGitHub({ api, token });
  const { data } = await github.rest.actions.getArtifact({ ...ownerAndRepo(repository), artifact_id: id });
  const end = data.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(data.expires_at);
  return !data.expired && end - Date.now() > leastLifetime && data.digest === digest;
}

/** With `~`, so that the cache's version, a hash of this text, is the same for every user's home. */
function recordName(key: string): string {
  return `~/.cache/nix-ferry/artifacts/${key}.json`;
}

function recordFile(key: string): string {
  return recordName(key).replace('~', homedir());
}
