import { isSame } from '../preview/change.ts';
import {
  type Change,
  isFailedPreview,
  type KnownPreview,
  type Preview,
  type UnknownPreview,
  wouldChange,
} from '../preview/index.ts';

/** Hosts with the same change. */
export interface ChangeGroup {
  hosts: string[];
  /** That of the first host; the others differ at most in what is not shown. */
  change: Change;
  /** The change in words. */
  body: string;
}

/** Hosts of which nothing is known for one reason. */
export interface UnknownGroup {
  hosts: string[];
  message: string;
}

/**
 * Groups the hosts that change by what is said of their change: toplevels always differ, but a reader needs no second text
 * that is the same. Groups that need a reboot come first, then larger ones.
 *
 * @param describe writes a change for a reader.
 */
export function groupChanges(previews: readonly Preview[], describe: (change: Change) => string): ChangeGroup[] {
  const groups = new Map<string, ChangeGroup>();
  for (const preview of previews) {
    if (!preview.known || isSame(preview.change)) continue;
    const body = describe(preview.change);
    const group = groups.get(body);
    if (group === undefined) groups.set(body, { hosts: [preview.host], change: preview.change, body });
    else group.hosts.push(preview.host);
  }
  const reboots = ({ change }: ChangeGroup): number => (change.reboot.length > 0 ? 1 : 0);
  return [...groups.values()].sort((a, b) => reboots(b) - reboots(a) || b.hosts.length - a.hosts.length);
}

/** The hosts that run what was built already. */
export function unchangedPreviews(previews: readonly Preview[]): KnownPreview[] {
  return previews.filter((preview): preview is KnownPreview => preview.known && isSame(preview.change));
}

/** The hosts that exist only after the change (`new`) or only before it (`removed`). */
export function oneSided(previews: readonly Preview[], side: 'new' | 'removed'): string[] {
  return previews.filter(preview => !preview.known && preview.why === side).map(({ host }) => host);
}

/** Whether nothing is known of what a host would change. That a host is new, or removed, is known. */
export function isUnknown(preview: Preview): preview is UnknownPreview {
  return wouldChange(preview) === null;
}

/** The hosts of which nothing is known, by reason. Those that failed are not among them: they are failures of the run. */
export function groupUnknown(previews: readonly Preview[]): UnknownGroup[] {
  const listed = previews.filter(isUnknown).filter(each => each.why !== 'not-built' && !isFailedPreview(each));
  return byMessage(listed.map(({ host, message }) => ({ host, message })));
}

/** Hosts that were compared with the base and not with what runs. */
export interface BaseGroup {
  hosts: string[];
  /** The base commit. */
  base: string;
  /** Why their targets were not asked, as a sentence; empty if nobody wanted that. */
  message: string;
}

/** The hosts that were compared with the base, by the reason for it. */
export function groupCompared(previews: readonly Preview[]): BaseGroup[] {
  const compared = previews.flatMap(each => (each.known && each.comparedWith === 'base' ? [each] : []));
  const [first] = compared;
  if (first === undefined) return [];
  const groups = byMessage(compared.map(({ host, instead }) => ({ host, message: instead ?? '' })));
  return groups.map(group => ({ ...group, base: first.base }));
}

function byMessage(hosts: readonly { host: string; message: string }[]): UnknownGroup[] {
  const groups = new Map<string, UnknownGroup>();
  for (const { host, message } of hosts) {
    const group = groups.get(message);
    if (group === undefined) groups.set(message, { hosts: [host], message });
    else group.hosts.push(host);
  }
  return [...groups.values()];
}
