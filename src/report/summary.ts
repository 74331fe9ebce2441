import { count, duration, size } from '../amounts.ts';
import type { Outcome, OutcomeKind, UnitChanges } from '../deploy/outcome.ts';
import { codeBlock, details, escapeText } from './markdown.ts';
import type { Run } from './run.ts';
import { type HostFailure, verdict } from './verdict.ts';

/** A step's summary may have 1 MiB (docs.github.com, "Workflow commands", step isolation and limits); a part is kept free. */
const summaryLimit = 1024 * 1024 - 16 * 1024;

const signs: Record<OutcomeKind, string> = {
  skipped: '⏭️',
  unchanged: '✅',
  planned: '🔍',
  deployed: '✅',
  'needs-reboot': '🔁',
  degraded: '⚠️',
  refused: '⛔',
  'rolled-back': '↩️',
  unreachable: '❌',
  failed: '❌',
};

/**
 * A run as Markdown, for the job's summary; whatever a host, a target or a log says stands in it as text.
 *
 * @param limit bytes it may have.
 */
export function summary(run: Run, limit = summaryLimit): string {
  const { failures } = verdict(run);
  const rows = rowsOf(run, failures);
  const head = [
    `## Nix Ferry: ${headline(run, failures)}`,
    ...(run.error === null ? [] : [`**${escapeText(run.error.message)}** ${escapeText(run.error.cure ?? '')}`.trim()]),
    ...(run.mode === 'dry-activate'
      ? ['Nothing was changed: the targets were asked what a switch would do (`dry-activate`).']
      : []),
  ];
  const table = [
    '| Host | System | Closure | Archive | Outcome |\n|---|---|---:|---:|---|',
    ...rows.map(({ cells }) => `| ${cells.join(' | ')} |`),
  ];
  const time = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${duration(seconds)}`);
  const parts = new Parts(limit);
  for (const part of head) parts.add(part);
  for (const failure of failures.slice(0, 50)) parts.add(failureLine(failure));
  if (rows.length > 0) parts.addLines(table, limit / 2, left => `| … and ${count(left, 'more host')} | | | | |`);
  if (time.length > 0) parts.add(`**Time**: ${time.join(' · ')}`);
  const folded = [
    ...failures
      .filter(({ log }) => log !== '')
      .map(({ host, stage, log }) => details(`${escapeText(host)}: log of ${stage}`, codeBlock(log))),
    ...run.outcomes.filter(outcome => hasDetails(outcome)).map(outcomeDetails),
  ];
  parts.addWhole(
    folded,
    left => `The details of ${count(left, 'more host')} are left out: the summary would be too long.`,
  );
  return parts.text();
}

/** Collects parts of a document and never lets it grow beyond the limit. */
class Parts {
  readonly #parts: string[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(part: string): boolean {
    const bytes = Buffer.byteLength(part) + 2;
    if (this.#bytes + bytes > this.#limit) return false;
    this.#bytes += bytes;
    this.#parts.push(part);
    return true;
  }

  /** Lines that belong together, as many as `most` bytes hold. */
  addLines(lines: readonly string[], most: number, rest: (left: number) => string): void {
    let bytes = 0;
    const fitting = lines.findIndex(line => {
      bytes += Buffer.byteLength(line) + 1;
      return bytes > most;
    });
    const kept = fitting === -1 ? lines : [...lines.slice(0, fitting), rest(lines.length - fitting)];
    this.add(kept.join('\n'));
  }

  addWhole(parts: readonly string[], rest: (left: number) => string): void {
    for (const [index, part] of parts.entries()) {
      if (this.add(part)) continue;
      this.#parts.push(rest(parts.length - index));
      return;
    }
  }

  text(): string {
    return `${this.#parts.join('\n\n')}\n`;
  }
}

function headline(run: Run, failures: readonly HostFailure[]): string {
  const hosts = run.outcomes.length > 0 ? run.outcomes.map(({ outcome }) => outcome) : null;
  const early = failures.filter(({ outcome }) => outcome === null);
  const counted =
    hosts === null
      ? [farthest(run)]
      : [...new Set(hosts)].map(kind => `${hosts.filter(each => each === kind).length} ${kind}`);
  return [...counted, ...(early.length > 0 ? [`${early.length} not built`] : [])].join(', ');
}

/** How far the hosts came that no target was asked about. */
function farthest({ fleet, built, archives }: Run): string {
  if (built.length > 0) return `${count(built.filter(({ ok }) => ok).length, 'host')} built`;
  if (archives.length > 0) return `${count(archives.length, 'archive')} verified`;
  return `${count(fleet?.hosts.length ?? 0, 'host')} evaluated`;
}

interface Row {
  host: string;
  cells: string[];
}

function rowsOf(run: Run, failures: readonly HostFailure[]): Row[] {
  const names = new Set([
    ...(run.fleet?.hosts ?? []).map(({ name }) => name),
    ...run.built.map(({ host }) => host.name),
    ...run.archives.map(({ host }) => host),
    ...run.outcomes.map(({ host }) => host),
    ...failures.map(({ host }) => host),
  ]);
  return [...names].map(host => {
    const built = run.built.find(each => each.host.name === host);
    const archive = run.archives.find(each => each.host === host);
    const outcome = run.outcomes.find(each => each.host === host);
    const early = failures.find(each => each.host === host && each.outcome === null);
    const system = built?.host.system ?? archive?.system ?? run.fleet?.hosts.find(({ name }) => name === host)?.system;
    const closure = built?.ok
      ? `${size(built.closureBytes)} in ${count(built.closure.length, 'path')}`
      : archive && size(archive.closureBytes);
    return {
      host,
      cells: [
        escapeText(host),
        escapeText(system ?? ''),
        closure ?? '',
        archive ? size(archive.bytes) : '',
        ended(outcome, early, built?.ok),
      ],
    };
  });
}

function ended(outcome: Outcome | undefined, early: HostFailure | undefined, built: boolean | undefined): string {
  if (early !== undefined) return `❌ ${early.stage === 'plan' ? 'not evaluated' : 'not built'}`;
  if (outcome === undefined) return built === true ? '✅ built' : '';
  const { outcome: kind, seconds } = outcome;
  const units = asSeen(outcome.units);
  const time = seconds > 0 ? ` in ${duration(seconds)}` : '';
  const changes = kind === 'planned' ? `: ${unitCounts(units, 'would ')}` : '';
  return `${signs[kind]} ${kind}${time}${changes}`;
}

/** As a person sees it: a unit that is stopped before the activation and started after it restarts. */
function asSeen(units: UnitChanges): UnitChanges {
  const both = units.stop.filter(unit => units.start.includes(unit));
  const rest = (names: readonly string[]): string[] => names.filter(unit => !both.includes(unit));
  return {
    ...units,
    stop: rest(units.stop),
    start: rest(units.start),
    restart: [...new Set([...units.restart, ...both])],
  };
}

const verbs = ['stop', 'start', 'restart', 'reload'] as const;

function unitCounts(units: UnitChanges, would: string): string {
  const counted = verbs.filter(verb => units[verb].length > 0).map(verb => `${verb} ${units[verb].length}`);
  return counted.length === 0 ? 'no unit changes' : `${would}${counted.join(', ')}`;
}

function failureLine({ host, stage, outcome, why }: HostFailure): string {
  const kind = outcome ?? (stage === 'plan' ? 'not evaluated' : 'not built');
  return `- **${escapeText(host)}** ${kind}: ${escapeText(why)}`;
}

function hasDetails({ units }: Outcome): boolean {
  return Object.values(units).some((names: string[]) => names.length > 0);
}

function outcomeDetails({ host, outcome, units: printed, before, after, mode }: Outcome): string {
  const units = asSeen(printed);
  const would = outcome === 'planned' ? 'would ' : '';
  const words: Record<keyof UnitChanges, string> = {
    stop: would === '' ? 'stopped' : 'would stop',
    start: would === '' ? 'started' : 'would start',
    restart: would === '' ? 'restarted' : 'would restart',
    reload: would === '' ? 'reloaded' : 'would reload',
    kept: would === '' ? 'changed, but go on in their old version' : 'changed, but would go on in their old version',
    failed: 'failed',
  };
  const lines = (Object.keys(words) as (keyof UnitChanges)[])
    .filter(kind => units[kind].length > 0)
    .map(kind => `- ${words[kind]}: ${units[kind].map(unit => `<code>${escapeText(unit)}</code>`).join(' ')}`);
  const systems = mode === 'dry-activate' || before === after ? [] : [`- ${path(before)} → ${path(after)}`];
  return details(`${escapeText(host)}: ${unitCounts(units, would)}`, [...lines, ...systems].join('\n'));
}

function path(toplevel: string | null): string {
  return toplevel === null ? 'unknown' : `<code>${escapeText(toplevel)}</code>`;
}
