import { relative } from 'node:path';
import type { Secret } from '../plan/fleet.ts';

/** How the secrets of a host change that its source declares, by their names. */
export interface SecretChange {
  added: string[];
  removed: string[];
  /** Another source, place, owner, mode or action. What is in files, and what commands print, is not read. */
  changed: string[];
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
  };
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
