import { isSame } from '../preview/change.ts';
import { type Change, isFailedPreview, type Preview } from '../preview/index.ts';

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
export function unchangedPreviews(previews: readonly Preview[]): (Preview & { known: true })[] {
  return previews.filter((preview): preview is Preview & { known: true } => preview.known && isSame(preview.change));
}

/** The hosts of which nothing is known, by reason. Those that failed are not among them: they are failures of the run. */
export function groupUnknown(previews: readonly Preview[]): UnknownGroup[] {
  const groups = new Map<string, UnknownGroup>();
  const failed = new Set(previews.filter(isFailedPreview).map(({ host }) => host));
  for (const preview of previews) {
    if (preview.known || preview.why === 'not-built' || failed.has(preview.host)) continue;
    const group = groups.get(preview.message);
    if (group === undefined) groups.set(preview.message, { hosts: [preview.host], message: preview.message });
    else group.hosts.push(preview.host);
  }
  return [...groups.values()];
}
