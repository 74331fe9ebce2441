import { count, duration } from '../amounts.ts';
import { timelineSection } from './gantt.ts';
import { groupsOf, namesOf } from './groups.ts';
import { hostTableHead, hostTableLines } from './host-table.ts';
import { LimitedDocument } from './limited.ts';
import { codeBlock, details, escapeText } from './markdown.ts';
import { nextSteps } from './next-steps.ts';
import { comparisonLines, previewSection, previewTitle } from './preview-markdown.ts';
import { previewedSection } from './previewed-text.ts';
import type { Run } from './run.ts';
import { secretSection } from './secrets.ts';
import { unitDetails } from './unit-changes.ts';
import { failureKind, type HostFailure, verdict } from './verdict.ts';
import { workSection } from './work.ts';

/** A step's summary is limited to 1 MiB (docs.github.com, "Workflow commands", step isolation and limits), less a reserve. */
const summaryLimit = 1024 * 1024 - 16 * 1024;

/** Failures that are listed above the table, at most. */
const listedFailures = 50;

/** Adds one section to the summary, or nothing when the run has nothing for it. */
type Section = (document: LimitedDocument, run: Run, failures: readonly HostFailure[]) => void;

/** The sections below the title, in their order. When the document is full, the later ones are left out. */
const sections: readonly Section[] = [
  error,
  dryRun,
  failureList,
  nextStepList,
  previewedSection,
  previewSection,
  hostTable,
  secretSection,
  workSection,
  timelineSection,
  times,
  detailsList,
];

/** A comment shows the change, and links to the summary for how the run went. */
const leftOutOfComment: ReadonlySet<Section> = new Set([workSection, timelineSection]);

/**
 * A run as Markdown, for the job summary. Whatever a host, a target or a log contains is shown as text.
 *
 * @param limit maximum size in bytes.
 */
export function summary(run: Run, limit = summaryLimit): string {
  return write(run, sections, limit, null, verdict(run).failures);
}

/**
 * The part of the summary that a comment shows.
 *
 * @param limit maximum size in bytes.
 * @param note Markdown below the title; null: none.
 * @param failures those of the run, unless it has only been reported by another one.
 */
export function commentSummary(
  run: Run,
  limit: number,
  note: string | null,
  failures: readonly HostFailure[] = verdict(run).failures,
): string {
  const shown = sections.filter(section => !leftOutOfComment.has(section));
  return write(run, shown, limit, note, failures);
}

function write(
  run: Run,
  shown: readonly Section[],
  limit: number,
  note: string | null,
  failures: readonly HostFailure[],
): string {
  const document = new LimitedDocument(limit);
  title(document, run, failures);
  if (note !== null) document.add(note);
  for (const section of shown) section(document, run, failures);
  return document.text();
}

function title(document: LimitedDocument, run: Run, failures: readonly HostFailure[]): void {
  const kinds = run.outcomes.map(({ outcome }) => outcome);
  const reached =
    kinds.length === 0
      ? [previewTitle(run) ?? farthest(run)]
      : [...new Set(kinds)].map(kind => `${kinds.filter(each => each === kind).length} ${kind}`);
  const early = failures.filter(({ outcome, stage }) => outcome === null && stage !== 'preview').length;
  document.add(`## Nix Ferry: ${[...reached, ...(early > 0 ? [`${early} not built`] : [])].join(', ')}`);
}

/** How far a run without a deployment came. */
function farthest({ fleet, built, archives }: Run): string {
  if (built.length > 0) return `${count(built.filter(({ ok }) => ok).length, 'host')} built`;
  if (archives.length > 0) return `${count(archives.length, 'archive')} verified`;
  return `${count(fleet?.hosts.length ?? 0, 'host')} evaluated`;
}

function error(document: LimitedDocument, run: Run): void {
  if (run.error === null) return;
  document.add(`**${escapeText(run.error.message)}** ${escapeText(run.error.cure ?? '')}`.trim());
}

function dryRun(document: LimitedDocument, run: Run): void {
  if (run.mode === 'dry-activate') {
    document.add('Nothing was changed. This is what a switch would do (`dry-activate`).');
  }
  for (const line of comparisonLines(run.previews)) document.add(line);
}

function failureList(document: LimitedDocument, _run: Run, failures: readonly HostFailure[]): void {
  const groups = groupsOf(failures);
  const lines = groups.slice(0, listedFailures).map(({ hosts, failure }) => {
    return `- **${namesOf(hosts.map(escapeText))}** ${failureKind(failure)}: ${escapeText(failure.why)}`;
  });
  const left = groups.slice(listedFailures).flatMap(({ hosts }) => hosts);
  if (left.length > 0) lines.push(`- … and ${count(left.length, 'more host')}, see the table`);
  if (lines.length > 0) document.addLines(lines, rest => `- … and ${count(rest, 'more failure')}`);
}

function nextStepList(document: LimitedDocument, run: Run): void {
  const lines = nextSteps(run).map(({ kind, next, command }) => {
    return `- ${kind}: ${next}${command === null ? '' : ` <code>${escapeText(command)}</code>`}`;
  });
  if (lines.length > 0) document.add(['**Next steps**\n', ...lines].join('\n'));
}

function hostTable(document: LimitedDocument, run: Run, failures: readonly HostFailure[]): void {
  const lines = hostTableLines(run, failures);
  if (lines.length === 0) return;
  // In a preview, the hosts are listed with their changes already.
  const what = run.archives.length > 0 ? 'Closures and archives' : 'Closures';
  if (run.previews.length > 0) document.add(details(what, [hostTableHead, ...lines].join('\n')));
  else document.addLines([hostTableHead, ...lines], left => `| … and ${count(left, 'more host')} | | | | |`);
}

function times(document: LimitedDocument, run: Run): void {
  const stages = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${duration(seconds)}`);
  if (stages.length > 0) document.add(`**Time**: ${stages.join(' · ')}`);
}

function detailsList(document: LimitedDocument, run: Run, failures: readonly HostFailure[]): void {
  const logs = groupsOf(failures)
    .filter(({ failure }) => failure.log !== '')
    .map(({ hosts, failure: { stage, log } }) => {
      return details(`${namesOf(hosts.map(escapeText))}: log of ${stage}`, codeBlock(log));
    });
  const units = run.outcomes.map(unitDetails).filter(each => each !== null);
  document.addAll(
    [...logs, ...units],
    left => `The details of ${count(left, 'more host')} do not fit into the summary.`,
  );
}
