import { namesOf } from './groups.ts';
import type { LimitedDocument } from './limited.ts';
import { escapeText } from './markdown.ts';
import type { Run } from './run.ts';
import { failureKind, type HostFailure, verdict } from './verdict.ts';

/** Hosts that differ from their preview and are listed with both systems, at most. */
const listedHosts = 20;

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
    ...(others.length > listedHosts ? [`… and ${names(others.slice(listedHosts))}, not as previewed.`] : []),
    ...(unseen.length > 0 ? [`⚠️ **Not previewed in #${previewed.pull}**: ${names(unseen)}`] : []),
    ...(same.length > 0 ? [`**As previewed in #${previewed.pull}**: ${names(same)}`] : []),
  ];
}

/** The section of the summary. */
export function previewedSection(document: LimitedDocument, run: Run): void {
  for (const line of previewedLines(run)) document.add(line);
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
