import { count, duration } from '../amounts.ts';
import type { WorkItem } from '../build/work.ts';
import type { Period, Span } from '../timeline.ts';
import { cut } from './cells.ts';
import type { LimitedDocument } from './limited.ts';
import { plain } from './markdown.ts';
import type { Run } from './run.ts';
import { slowest, workName } from './work.ts';

/** Bars of builds and of hosts, at most: a reader must not scroll through a whole fleet. */
const builds = 10;
const hosts = 20;

/** The least part of the run that a build must take to have a bar. */
const leastPart = 0.01;

/** Cells of a name, at most. */
const nameWidth = 40;

/** Bars of lower height than Mermaid's own, so that thirty of them fit onto a screen. */
const style = "%%{init: {'gantt': {'barHeight': 16, 'barGap': 3, 'fontSize': 11, 'sectionFontSize': 12}}}%%";

interface Bar extends Period {
  name: string;
  failed: boolean;
}

/** When the stages ran, the slowest builds and fetches, and the hosts, as a diagram that GitHub draws (Mermaid, `gantt`). */
export function timelineSection(document: LimitedDocument, { timeline, work }: Run): void {
  const stages = timeline.filter(({ host }) => host === null);
  if (stages.length === 0) return;
  const long = (work?.items ?? []).filter(item => item.to - item.from >= leastPart * lengthOf(stages));
  const built = slowest(long, builds).map(barOfWork);
  const all = [...hostBars(timeline).values()].toSorted((a, b) => rank(b) - rank(a));
  const shown = all.slice(0, hosts).flat();
  const diagram = gantt({
    Stages: stages.map(({ stage, ...span }) => ({ ...span, name: stage })),
    Builds: built,
    Hosts: shown,
  });
  const left = all.length - hosts;
  const rest = left <= 0 ? '' : `\n\n${count(left, 'more host')} took less time.`;
  document.add(`**Timeline**\n\n${diagram}${rest}`);
}

/** From the beginning of the first to the end of the last. */
function lengthOf(periods: readonly Period[]): number {
  return Math.max(...periods.map(({ to }) => to)) - Math.min(...periods.map(({ from }) => from));
}

function barOfWork(item: WorkItem): Bar {
  return { ...item, name: workName(item) };
}

/** The bars of each host, from the stages that work on each of them separately. */
function hostBars(timeline: readonly Span[]): Map<string, Bar[]> {
  const bars = new Map<string, Bar[]>();
  for (const { stage, host, ...span } of timeline) {
    if (host === null || (stage !== 'deploy' && stage !== 'preview')) continue;
    bars.set(host, [...(bars.get(host) ?? []), { ...span, name: host }]);
  }
  return bars;
}

/** Failed hosts are shown first, then those that took longest. */
function rank(bars: readonly Bar[]): number {
  const took = bars.reduce((sum, { from, to }) => sum + to - from, 0);
  return bars.some(({ failed }) => failed) ? Number.MAX_SAFE_INTEGER / 2 + took : took;
}

function gantt(sections: Readonly<Record<string, readonly Bar[]>>): string {
  const start = Math.min(...Object.values(sections).flatMap(bars => bars.map(({ from }) => from)));
  const lines = Object.entries(sections).flatMap(([title, bars]) => {
    if (bars.length === 0) return [];
    return [`  section ${title}`, ...bars.toSorted((a, b) => a.from - b.from).map(bar => `    ${task(bar, start)}`)];
  });
  // A time stamp is shown as its number of seconds, whichever zone the reader is in.
  const head = ['gantt', '  dateFormat x', '  axisFormat %s s'];
  return ['```mermaid', style, ...head, ...lines, '```'].join('\n');
}

/** A bar with its duration. The name of a task ends at a colon, and a word such as `section` at its start is a command. */
function task({ name, from, to, failed }: Bar, start: number): string {
  const safe = cut(plain(name), nameWidth).replaceAll(/[^\p{L}\p{N} .+=_…-]/gu, '_');
  const label = `${duration((to - from) / 1000)} · ${safe}`;
  // Mermaid does not draw a bar that has no length.
  return `${label} :${failed ? 'crit, ' : ''}${from - start}, ${Math.max(to, from + 1) - start}`;
}
