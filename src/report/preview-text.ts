import { count, size } from '../amounts.ts';
import { isSame } from '../preview/change.ts';
import type { Change, Preview } from '../preview/index.ts';
import { namesOf } from './groups.ts';
import { plain } from './markdown.ts';
import { groupChanges } from './preview-groups.ts';
import { growth } from './preview-packages.ts';
import { unitCount, unitEffects, unitNotes } from './preview-units.ts';

/** What a line of a change is about, which decides its colour. */
type Kind = 'added' | 'removed' | 'changed' | 'attention' | 'plain';

/** Parameters of the control sequence "select graphic rendition" (ECMA-48). */
const colours: Record<Exclude<Kind, 'plain'>, string> = {
  added: '32',
  removed: '31',
  changed: '33',
  attention: '1;33',
};

/** What the hosts would change, as lines for a person: hosts with the same change are listed once. */
export function previewLines(previews: readonly Preview[], colour: boolean): string[] {
  const show = (change: Change): string =>
    changeLines(change)
      .map(([kind, line]) => `  ${paint(plain(line), kind, colour)}`)
      .join('\n');
  return groupChanges(previews, show).flatMap(({ hosts, body }) => [`${plain(namesOf(hosts))}:`, ...body.split('\n')]);
}

function paint(text: string, kind: Kind, colour: boolean): string {
  return colour && kind !== 'plain' ? `\u001b[${colours[kind]}m${text}\u001b[0m` : text;
}

/** One line: how much would change, or why that is not known. */
export function previewState(preview: Preview): string {
  if (!preview.known) {
    const words = preview.why === 'new' || preview.why === 'removed' ? preview.why : 'unknown';
    return `${words}: ${plain(preview.message)}`;
  }
  const base = preview.comparedWith === 'base';
  const { change } = preview;
  const reboot = change.reboot.length > 0;
  if (isSame(change)) {
    if (base) return `unchanged: ${comparedWith(preview.base)} has the same system`;
    const uncompared =
      change.secrets === null || change.secrets.unknown.length === 0 ? '' : '; some secrets are not compared';
    return `unchanged: its target runs this system${reboot ? ', and waits for a reboot' : ''}${uncompared}`;
  }
  const counts = [...packageCount(change), unitCount(change.units), ...secretCount(change)];
  const since = base ? `, compared with ${comparedWith(preview.base)}` : '';
  return `would change: ${counts.join(', ')}${reboot ? '; needs a reboot' : ''}${since}`;
}

function comparedWith(commit: string): string {
  return `the base ${plain(commit).slice(0, 10)}`;
}

function packageCount({ packages }: Change): string[] {
  if (packages === null) return [];
  return [count(packages.added.length + packages.removed.length + packages.updated.length, 'package')];
}

function secretCount({ secrets }: Change): string[] {
  const changed = secrets === null ? 0 : secrets.added.length + secrets.removed.length + secrets.changed.length;
  return changed === 0 ? [] : [count(changed, 'secret')];
}

type Line = readonly [Kind, string];

function changeLines(change: Change): Line[] {
  const { firewall, users, groups, secrets } = change;
  return [
    ...change.reboot.map(({ text, pending }): Line => {
      return ['attention', `needs a reboot: ${text}${pending ? ' (already before this)' : ''}`];
    }),
    ...packageLines(change),
    ...unitEffects(change.units).flatMap(({ words, names }) => listed('changed', words, names)),
    ...unitNotes(change.units).map((note): Line => ['attention', note]),
    ...listed('added', 'opens', firewall.opened),
    ...listed('removed', 'closes', firewall.closed),
    ...(firewall.turned === null ? [] : [['attention', `turns the firewall ${firewall.turned}`] as const]),
    ...listed('added', 'adds user', users?.added ?? []),
    ...listed('removed', 'removes user', users?.removed ?? []),
    ...listed('added', 'adds group', groups?.added ?? []),
    ...listed('removed', 'removes group', groups?.removed ?? []),
    ...listed('added', 'adds secret', secrets?.added ?? []),
    ...listed('removed', 'removes secret', secrets?.removed ?? []),
    ...listed('changed', 'changes secret', secrets?.changed ?? []),
    ...listed('plain', 'does not compare secret', secrets?.unknown ?? []),
    ...etcLines(change),
  ];
}

function packageLines({ packages }: Change): Line[] {
  if (packages === null) return [['attention', 'packages: unknown, because Nix on the target does not answer']];
  const { added, removed, updated, rebuilt, bytes } = packages;
  const closure = bytes.after - bytes.before;
  return [
    ...updated.map(({ name, from, to, bytes }): Line => {
      return ['changed', `~ ${name} ${versions(from)} → ${versions(to)} (${growth(bytes)})`];
    }),
    ...added.map(({ name, versions, bytes }): Line => ['added', `+ ${name} ${versions.join(', ')} (${size(bytes)})`]),
    ...removed.map(({ name, versions, bytes }): Line => {
      return ['removed', `- ${name} ${versions.join(', ')} (${size(bytes)})`];
    }),
    ...(rebuilt.names.length > 0 ? [['plain', `${count(rebuilt.names.length, 'package')} rebuilt`] as const] : []),
    ['plain', `closure ${growth(closure)}`],
  ];
}

function versions(list: readonly string[]): string {
  return list.length === 0 ? '—' : list.join(', ');
}

function etcLines({ etc }: Change): Line[] {
  const kinds = ['added', 'removed', 'changed'] as const;
  const rebuilt = etc.filter(each => each.rebuilt).length;
  return [
    ...kinds.flatMap(kind => {
      const names = etc.filter(each => !each.rebuilt && each.kind === kind).map(({ name }) => name);
      return listed(kind, `/etc, ${kind}`, names);
    }),
    ...(rebuilt > 0 ? [['plain', `${count(rebuilt, 'file')} of /etc with other store paths only`] as const] : []),
  ];
}

function listed(kind: Kind, words: string, names: readonly string[]): Line[] {
  return names.length === 0 ? [] : [[kind, `${words}: ${names.join(', ')}`]];
}
