import { relative } from 'node:path';
import type { SecretContent } from '../deploy/secrets/content.ts';
import { isSameDigest, type KeptDigest } from '../deploy/secrets/digest.ts';
import type { Secret } from '../plan/fleet.ts';

/** How the secrets of a host change, by their names. */
export interface SecretChange {
  /** On a target: it got them and lost them, as in a reboot. */
  added: string[];
  removed: string[];
  /**
   * Between two sources: another source, place, owner, mode or action. On a target: another content, owner or mode than it
   * got last.
   */
  changed: string[];
  /** Those whose contents are not compared. */
  unknown: string[];
}

/** The secrets of a host, and the folder of the source that declares them. */
export interface Declared {
  secrets: readonly Secret[];
  folder: string;
}

/** Compares what two sources declare. No content is read, and no inline text is returned. */
export function compareSecrets(before: Declared, after: Declared): SecretChange {
  const [was, is] = [byName(before), byName(after)];
  return {
    added: [...is.keys()].filter(name => !was.has(name)),
    removed: [...was.keys()].filter(name => !is.has(name)),
    changed: [...is].flatMap(([name, text]) => (was.has(name) && was.get(name) !== text ? [name] : [])),
    unknown: [],
  };
}

/**
 * Compares the secrets of a host with what its target got last, by the digests that the target keeps.
 *
 * @param contents in the order of the secrets; null: not known.
 * @returns null for a host without secrets.
 */
export function compareWithKept(
  {
    host,
    secrets,
    contents,
  }: { host: string; secrets: readonly Secret[]; contents: readonly (SecretContent | null)[] },
  kept: readonly KeptDigest[],
  signingKey: string | null,
): SecretChange | null {
  if (secrets.length === 0) return null;
  const change: SecretChange = { added: [], removed: [], changed: [], unknown: [] };
  for (const [index, secret] of secrets.entries()) {
    const content = contents[index] ?? null;
    const last = kept.find(({ destination }) => destination === secret.destination);
    if (last?.digest === null) {
      change.added.push(secret.name);
      continue;
    }
    const known = content !== null && signingKey !== null && last !== undefined;
    const same = known ? isSameDigest(last, { host, secret, content }, signingKey) : null;
    if (same === null) change.unknown.push(secret.name);
    else if (!same) change.changed.push(secret.name);
  }
  return change;
}

/** Each secret as a text that is the same in every checkout of a source. */
function byName({ secrets, folder }: Declared): Map<string, string> {
  return new Map(
    secrets.map(secret => [secret.name, JSON.stringify([{ ...secret, source: null }, sourceOf(secret, folder)])]),
  );
}

function sourceOf({ source }: Secret, folder: string): unknown {
  if ('file' in source) return { file: relative(folder, source.file) };
  if ('text' in source) return { text: source.text.reveal() };
  return 'command' in source ? { command: source.command } : source;
}

/** Whether two sources declare the same. */
export function isSameSecrets({ added, removed, changed }: SecretChange): boolean {
  return added.length + removed.length + changed.length === 0;
}
