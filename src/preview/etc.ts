import type { EtcEntry } from './description.ts';
import { lineDiff } from './line-diff.ts';

/** How a file of /etc changes. */
export interface EtcChange {
  name: string;
  kind: 'added' | 'removed' | 'changed';
  /** Whether its text changes only in the hashes of store paths. */
  rebuilt: boolean;
  /** A unified diff without its head; null if a file is not small, not text or may be secret. */
  diff: string | null;
}

type Etc = Readonly<Record<string, EtcEntry>>;

/** Unit files are reported as units; the others are the owner and the mode of a file. */
const ignored = /^systemd\/system(\/|$)|\.(mode|uid|gid)$/;

const secretName = /shadow|passw|secret|key|token|credential|\.pem$|wpa_supplicant|wireguard/i;
const secretText = /PRIVATE KEY|passw|secret|token|api.?key|credential|\bpsk\b|\b(bearer|basic) [A-Za-z0-9+/=]{8}/i;

/** Compares the files that two generations put into /etc. */
export function compareEtc(before: Etc, after: Etc): EtcChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => !ignored.test(name));
  return names.sort().flatMap((name): EtcChange[] => {
    const [was, is] = [before[name], after[name]];
    if (was === undefined && is === undefined) return [];
    if (was !== undefined && is !== undefined && same(was, is)) return [];
    const kind = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    return [{ name, kind, rebuilt: rebuilt(was, is), diff: diffOf(name, was, is) }];
  });
}

/** Files are the same if their contents are; directories, if their links lead to the same place. */
function same(was: EtcEntry, is: EtcEntry): boolean {
  return was.hash === null && is.hash === null ? was.target === is.target : was.hash === is.hash;
}

/** If nothing is left of a text but other hashes, or a directory of the same name is another, it was rebuilt. */
function rebuilt(was: EtcEntry | undefined, is: EtcEntry | undefined): boolean {
  if (was === undefined || is === undefined) return false;
  const [old, now] = was.hash === null && is.hash === null ? [was.target, is.target] : [was.text, is.text];
  return old !== null && now !== null && withoutHashes(old) === withoutHashes(now);
}

function withoutHashes(text: string): string {
  return text.replace(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/');
}

function diffOf(name: string, was: EtcEntry | undefined, is: EtcEntry | undefined): string | null {
  const [old, now] = [textOf(was), textOf(is)];
  if (old === null || now === null || secretName.test(name) || secretText.test(old) || secretText.test(now))
    return null;
  return lineDiff(old, now);
}

/** A file that does not exist is empty. */
function textOf(entry: EtcEntry | undefined): string | null {
  return entry === undefined ? '' : entry.text;
}
