import type { Change, Preview } from '../preview/index.ts';
import { namesOf } from './groups.ts';
import type { LimitedDocument } from './limited.ts';
import { details, escapeText } from './markdown.ts';
import { type ChangeGroup, groupChanges } from './preview-groups.ts';
import { changeMarkdown } from './preview-markdown.ts';
import { unitEffects } from './preview-units.ts';
import type { Run } from './run.ts';
import { failureKind, type HostFailure, verdict } from './verdict.ts';

/** Hosts that differ from their preview and are listed with both systems, at most. */
const listedHosts = 20;

/** Packages, units or files that a short line names, at most. */
const briefWords = 8;

/** Failures that are listed in a comment, at most. */
const listedFailures = 10;

/** Whether what was built is what the pull request's preview has shown, in a line for each answer. */
export function previewedLines({ previewed, built, archives }: Run): string[] {
  if (previewed === null) return [];
  if (previewed.pull === null) return ['**Preview**: none was found of the pull request of this commit.'];
  const toplevels = [
    ...built.flatMap(one => (one.ok ? [[one.host.name, one.toplevel] as const] : [])),
    ...(built.length > 0 ? [] : archives.map(({ host, toplevel }) => [host, toplevel] as const)),
  ];
  const shown = (host: string): string[] => previewed.toplevels[host] ?? [];
  const same = toplevels.filter(([host, toplevel]) => shown(host).includes(toplevel));
  const unseen = toplevels.filter(([host]) => shown(host).length === 0);
  const others = toplevels.filter(([host, toplevel]) => shown(host).length > 0 && !shown(host).includes(toplevel));
  const code = (path: string): string => `<code>${escapeText(path)}</code>`;
  const differing = others.slice(0, listedHosts).map(([host, toplevel]) => {
    return `⚠️ **Not as previewed in #${previewed.pull}**: ${escapeText(host)}: previewed ${shown(host).map(code).join(' or ')}, built ${code(toplevel)}`;
  });
  const names = (list: readonly (readonly [string, string])[]): string =>
    namesOf(list.map(([host]) => escapeText(host)));
  return [
    ...differing,
    ...differences(
      previewed.changes,
      others.map(([host]) => host),
    ),
    ...(others.length > listedHosts ? [`… and ${names(others.slice(listedHosts))}, not as previewed.`] : []),
    ...(unseen.length > 0 ? [`⚠️ **Not previewed in #${previewed.pull}**: ${names(unseen)}`] : []),
    ...(same.length > 0 ? [`**As previewed in #${previewed.pull}**: ${names(same)}`] : []),
  ];
}

/** The section of the summary. */
export function previewedSection(document: LimitedDocument, run: Run): void {
  for (const line of previewedLines(run)) document.add(line);
  for (const { hosts, change } of sinceChanges(run.previewed?.changes ?? {})) {
    const title = `What differs from the preview: ${namesOf(hosts.map(escapeText))}`;
    document.add(details(title, changeMarkdown(change)));
  }
}

/** Hosts of which the same differs from the preview. */
function sinceChanges(changes: Readonly<Record<string, Change>>): ChangeGroup[] {
  const previews = Object.entries(changes).map(([host, change]): Preview => {
    return { host, known: true, comparedWith: 'base', base: '', instead: null, change };
  });
  return groupChanges(previews, changeMarkdown);
}

/** What differs in short, for the hosts of which it is known. */
function differences(changes: Readonly<Record<string, Change>>, differing: readonly string[]): string[] {
  const lines = sinceChanges(changes)
    .slice(0, listedHosts)
    .map(({ hosts, change }) => {
      return `- ${namesOf(hosts.map(escapeText))}: ${briefChange(change)}`;
    });
  const unknown = differing.filter(host => changes[host] === undefined);
  if (lines.length > 0 && unknown.length > 0) lines.push(`- ${namesOf(unknown.map(escapeText))}: not known`);
  return lines.length === 0 ? [] : [`What differs:\n\n${lines.join('\n')}`];
}

function briefChange({ packages, units, etc }: Change): string {
  const packageWords = [
    ...(packages?.updated ?? []).map(({ name, from, to }) => `${name} ${from.join(', ')} → ${to.join(', ')}`),
    ...(packages?.added ?? []).map(({ name, versions }) => `${name} ${versions.join(', ')} added`),
    ...(packages?.removed ?? []).map(({ name }) => `${name} removed`),
  ];
  const unitNames = [...new Set(unitEffects(units).flatMap(({ names }) => names))];
  const files = etc.filter(({ rebuilt }) => !rebuilt).map(({ name }) => `/etc/${name}`);
  const parts = [...some(packageWords), ...some(unitNames), ...some(files)];
  return parts.length === 0 ? 'only store paths' : parts.join('; ');
}

/** The first of some words on one line, and the number of the others. */
function some(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  const left = words.length - briefWords;
  return [words.slice(0, briefWords).map(escapeText).join(', ') + (left > 0 ? ` and ${left} more` : '')];
}

/** What became of a deployment, for the comment that previewed it. */
export function outcomeMarkdown(run: Run, address: string): string {
  const kinds = run.outcomes.map(({ outcome }) => outcome);
  const counts = [...new Set(kinds)].map(kind => `${kinds.filter(each => each === kind).length} ${kind}`);
  const { failures } = verdict(run);
  const ended = run.error === null ? [] : [`**${escapeText(run.error.message)}**`];
  const listed = failures.slice(0, listedFailures).map(failureLine);
  const left = failures.length - listedFailures;
  return [
    `**Deployment**: ${counts.length > 0 ? counts.join(', ') : 'nothing was deployed'} ([run](${address}))`,
    ...ended,
    ...(listed.length > 0 ? [[...listed, ...(left > 0 ? [`- … and ${left} more`] : [])].join('\n')] : []),
    ...previewedLines(run),
  ].join('\n\n');
}

function failureLine(failure: HostFailure): string {
  return `- **${escapeText(failure.host)}** ${failureKind(failure)}: ${escapeText(failure.why)}`;
}
