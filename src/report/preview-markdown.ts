import { count } from '../amounts.ts';
import type { Change } from '../preview/index.ts';
import { namesOf } from './groups.ts';
import type { LimitedDocument } from './limited.ts';
import { details, escapeText } from './markdown.ts';
import { etcParts } from './preview-etc.ts';
import {
  type ChangeGroup,
  groupChanges,
  groupCompared,
  groupUnknown,
  isUnknown,
  oneSided,
  unchangedPreviews,
} from './preview-groups.ts';
import { packageCounts, packageTable } from './preview-packages.ts';
import { unitCount, unitEffects, unitNotes } from './preview-units.ts';
import type { Run } from './run.ts';

/** Units of one kind that are named in a line; if there are more, a folded list has them all. */
const namedUnits = 12;

/** The names of a heading, at most. */
const headingNames = 3;

/** How many hosts would change, for the title; null if the run is no preview. */
export function previewTitle({ previews }: Pick<Run, 'previews'>): string | null {
  if (previews.length === 0) return null;
  const unchanged = unchangedPreviews(previews).length;
  const unknown = previews.filter(isUnknown).length;
  const [added, removed] = [oneSided(previews, 'new').length, oneSided(previews, 'removed').length];
  const changed = previews.length - unchanged - unknown - added - removed;
  return [
    ...(changed > 0 || unknown === 0 ? [`${count(changed, 'host')} would change`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ...(added > 0 ? [`${added} new`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(unknown > 0 ? [`${unknown} not compared`] : []),
  ].join(', ');
}

/**
 * What each host would change: hosts with the same change in one block, then the others in a line each. A block that does not
 * fit is only counted.
 */
export function previewSection(document: LimitedDocument, { previews }: Pick<Run, 'previews'>): void {
  if (previews.length === 0) return;
  const groups = groupChanges(previews, changeMarkdown);
  const closing = [...unchangedLine(previews), ...oneSidedLines(previews), ...unknownLines(previews)];
  const short = groups.map(shortBlock);
  // What is certain to be shown: a long block must not hide the others.
  let reserved = bytesOf([...short, ...closing]);
  for (const [index, group] of groups.entries()) {
    const brief = short[index] ?? '';
    const full = `${heading(group)}\n\n${group.body}`;
    reserved -= bytesOf([brief]);
    const added = bytesOf([full]) + reserved <= document.room ? document.add(full) : document.add(brief);
    if (added) continue;
    document.addLast(`${count(groups.length - index, 'more change')} do not fit here.`);
    return;
  }
  for (const line of closing) document.add(line);
}

function bytesOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, 0);
}

function heading({ hosts }: ChangeGroup): string {
  const names = hosts.map(escapeText);
  if (names.length <= headingNames) return `### ${names.join(', ')}`;
  return `### ${count(names.length, 'host')} with the same change\n\n${names.join(', ')}`;
}

function shortBlock(group: ChangeGroup): string {
  const { change } = group;
  const parts = [
    ...(change.reboot.length > 0 ? ['needs a reboot'] : []),
    unitCount(change.units),
    ...(change.packages === null ? [] : [packageCounts(change.packages)]),
  ];
  return `${heading(group)}\n\n${parts.join('; ')}. The details do not fit here.`;
}

/** A change as Markdown, without the names of hosts, toplevels and other things that differ on every host. */
export function changeMarkdown(change: Change): string {
  const { packages, firewall, etc } = change;
  const files = etcParts(etc);
  const lines = [
    ...rebootLine(change),
    ...unitMarkdown(change),
    ...listed('Firewall', [
      ...each('opens', firewall.opened),
      ...each('closes', firewall.closed),
      ...(firewall.turned === null ? [] : [`is turned ${firewall.turned}`]),
    ]),
    ...accountLines(change),
    ...listed('Secrets', [
      ...each('adds', change.secrets?.added ?? []),
      ...each('removes', change.secrets?.removed ?? []),
      ...each('changes', change.secrets?.changed ?? []),
      ...each('does not compare', change.secrets?.unknown ?? []),
    ]),
    ...(files.line === null ? [] : [files.line]),
    packages === null
      ? '**Packages**: unknown, because Nix on the target does not answer'
      : `**Packages**: ${packageCounts(packages)}`,
  ];
  return [
    lines.map(line => `- ${line}`).join('\n'),
    ...(packages === null ? [] : packageTable(packages)),
    ...allUnits(change),
    ...(files.diffs === null ? [] : [files.diffs]),
  ].join('\n\n');
}

function rebootLine({ reboot }: Change): string[] {
  if (reboot.length === 0) return [];
  const reasons = reboot.map(({ text, pending }) => `${escapeText(text)}${pending ? ' (already before this)' : ''}`);
  return [`⚠️ **Needs a reboot**, because: ${reasons.join('; ')}`];
}

function unitMarkdown({ units }: Change): string[] {
  const effects = unitEffects(units).map(({ words, names }) => {
    const shown = names.slice(0, namedUnits).map(unit => `<code>${escapeText(unit)}</code>`);
    const rest = names.length > namedUnits ? ` and ${names.length - namedUnits} more` : '';
    return `**${words.charAt(0).toUpperCase()}${words.slice(1)}**: ${shown.join(' ')}${rest}`;
  });
  const notes = unitNotes(units).map(note => `**Units**: ${escapeText(note)}`);
  return effects.length === 0 && notes.length === 0 ? ['**Units**: no changes'] : [...effects, ...notes];
}

/** The units that do not fit into a line. */
function allUnits({ units }: Change): string[] {
  return unitEffects(units)
    .filter(({ names }) => names.length > namedUnits)
    .map(({ words, names }) =>
      details(`${words}: all ${count(names.length, 'unit')}`, names.map(escapeText).join(' ')),
    );
}

function accountLines({ users, groups }: Change): string[] {
  if (users === null && groups === null)
    return ['**Users and groups**: unknown, as one of the systems does not list them'];
  const named = (title: string, names: Change['users']): string[] =>
    names === null ? [] : listed(title, [...each('adds', names.added), ...each('removes', names.removed)]);
  return [...named('Users', users), ...named('Groups', groups)];
}

function each(verb: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${verb} ${names.map(name => `<code>${escapeText(name)}</code>`).join(' ')}`];
}

function listed(title: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`**${title}**: ${words.join('; ')}`];
}

function unchangedLine(previews: Run['previews']): string[] {
  const unchanged = unchangedPreviews(previews);
  if (unchanged.length === 0) return [];
  const names = unchanged.map(({ host, change }) => {
    const notes = [
      ...(change.reboot.length > 0 ? ['waits for a reboot'] : []),
      ...(change.secrets !== null && change.secrets.unknown.length > 0 ? ['some secrets are not compared'] : []),
    ];
    return `${escapeText(host)}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
  });
  return [`**Unchanged**: ${namesOf(names)}`];
}

function oneSidedLines(previews: Run['previews']): string[] {
  const [added, removed] = [oneSided(previews, 'new'), oneSided(previews, 'removed')];
  return [
    ...(added.length > 0 ? [`**New**: ${namesOf(added.map(escapeText))}`] : []),
    ...(removed.length > 0 ? [`**Removed**: ${namesOf(removed.map(escapeText))}`] : []),
  ];
}

/** With what the hosts were compared, in sentences; empty if there is nothing to say. */
export function comparisonLines(previews: Run['previews']): string[] {
  const asked = previews.some(each => each.known && each.comparedWith === 'target');
  const target = asked ? ['This is what a switch would do. The targets were only asked what they run.'] : [];
  const groups = groupCompared(previews);
  const [first] = groups;
  if (first === undefined) return target;
  const named = asked || groups.length > 1;
  const reasons = groups.map(({ hosts, message }) => {
    return `${named ? `${namesOf(hosts.map(escapeText))}: ` : ''}${escapeText(message)}`.trim();
  });
  const some = asked ? 'Some hosts were compared' : 'Compared';
  const said = `${some} with the base, ${escapeText(first.base)}, and not with what the targets run, so it is not known which units run.`;
  return [
    ...target,
    named ? [said, '', ...reasons.map(reason => `- ${reason}`)].join('\n') : `${said} ${reasons}`.trim(),
  ];
}

function unknownLines(previews: Run['previews']): string[] {
  return groupUnknown(previews).map(
    ({ hosts, message }) => `**Not compared**: ${namesOf(hosts.map(escapeText))}: ${escapeText(message)}`,
  );
}
