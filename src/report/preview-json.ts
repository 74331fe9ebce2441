import type { Change } from '../preview/change.ts';
import { type Preview, wouldChange } from '../preview/index.ts';

/**
 * What each host would change, as JSON for the output `changes`: host → what is known of it. `changed` is null if nothing is
 * known. The contents of files of /etc and the names of rebuilt packages are left out.
 *
 * @param limit bytes. If the result is larger, lists of units, packages and files are left out, and `complete` is false.
 */
export function changesJson(previews: readonly Preview[], limit: number): string {
  const whole = JSON.stringify(Object.fromEntries(previews.map(each => [each.host, entryOf(each, true)])));
  if (Buffer.byteLength(whole) <= limit) return whole;
  return JSON.stringify(Object.fromEntries(previews.map(each => [each.host, entryOf(each, false)])));
}

function entryOf(preview: Preview, complete: boolean): object {
  if (!preview.known) {
    return { changed: wouldChange(preview), why: preview.why, message: preview.message };
  }
  const { change, comparedWith } = preview;
  const { before, after } = change;
  const reboot = change.reboot.map(({ text }) => text);
  return {
    changed: wouldChange(preview),
    complete,
    comparedWith,
    before,
    after,
    reboot,
    ...(complete ? lists(change) : {}),
  };
}

function lists({ units, packages, firewall, users, groups, etc, secrets }: Change): object {
  return {
    units,
    packages: packages === null ? null : { ...packages, rebuilt: packages.rebuilt.names.length },
    ...{ firewall, users, groups, secrets },
    etc: etc.filter(({ rebuilt }) => !rebuilt).map(({ name, kind }) => ({ name, kind })),
  };
}
