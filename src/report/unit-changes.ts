import { type Outcome, outcomes } from '../deploy/outcome.ts';
import type { UnitChanges } from '../deploy/units.ts';
import { details, escapeText } from './markdown.ts';

const verbs = ['stop', 'start', 'restart', 'reload'] as const;

/** The numbers of units that change, in words: "restart 2, reload 1". */
export function unitCounts({ outcome, units }: Pick<Outcome, 'outcome' | 'units'>): string {
  const merged = mergeRestarts(units);
  const counted = verbs.filter(verb => merged[verb].length > 0).map(verb => `${verb} ${merged[verb].length}`);
  if (counted.length === 0) return 'no unit changes';
  return `${outcomes[outcome].hypothetical ? 'would ' : ''}${counted.join(', ')}`;
}

/** The units that change, by what happens to them. */
export function unitLines({
  outcome,
  units,
}: Pick<Outcome, 'outcome' | 'units'>): { words: string; names: string[] }[] {
  const merged = mergeRestarts(units);
  const words = outcomes[outcome].hypothetical ? would : did;
  return (Object.keys(words) as (keyof UnitChanges)[])
    .filter(kind => merged[kind].length > 0)
    .map(kind => ({ words: words[kind], names: merged[kind] }));
}

/** A folded list of what changes; null when nothing does. */
export function unitDetails(outcome: Outcome): string | null {
  const { host, mode, before, after, others } = outcome;
  const lines = [
    ...unitLines(outcome).map(
      ({ words, names }) => `- ${words}: ${names.map(unit => `<code>${escapeText(unit)}</code>`).join(' ')}`,
    ),
    ...others.map(other => `- ${escapeText(other)}`),
  ];
  if (lines.length === 0) return null;
  const systems = mode === 'dry-activate' || before === after ? [] : [`- ${path(before)} → ${path(after)}`];
  return details(`${escapeText(host)}: ${unitCounts(outcome)}`, [...lines, ...systems].join('\n'));
}

const did: Record<keyof UnitChanges, string> = {
  stop: 'stopped',
  start: 'started',
  restart: 'restarted',
  reload: 'reloaded',
  kept: 'changed, but still running in the old version',
  failed: 'failed',
};

const would: Record<keyof UnitChanges, string> = {
  stop: 'would stop',
  start: 'would start',
  restart: 'would restart',
  reload: 'would reload',
  kept: 'changed, but would keep running in the old version',
  failed: 'failed',
};

/** A unit that is stopped before the activation and started after it has, to a person, been restarted. */
function mergeRestarts(units: UnitChanges): UnitChanges {
  const both = units.stop.filter(unit => units.start.includes(unit));
  const rest = (names: readonly string[]): string[] => names.filter(unit => !both.includes(unit));
  return {
    ...units,
    stop: rest(units.stop),
    start: rest(units.start),
    restart: [...new Set([...units.restart, ...both])],
  };
}

function path(toplevel: string | null): string {
  return toplevel === null ? 'unknown' : `<code>${escapeText(toplevel)}</code>`;
}
