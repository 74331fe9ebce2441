import type { SystemDescription, UnitState } from './description.ts';
import { readUnit, UnparsableUnit } from './unit-file.ts';

type Units = Pick<SystemDescription, 'units' | 'wants'>;

/**
 * The units that a switch starts because something that runs wants them only in the new system: active targets are started
 * again, with all that they want. Source: systemd.unit(5), `Wants=` and the like and the directories `.wants/`.
 */
export function newlyWanted(before: Units, after: Units, states: Readonly<Record<string, UnitState>>): Set<string> {
  const targets = Object.keys(states).filter(unit => unit.endsWith('.target') && unit in after.units);
  const had = wantedBy(targets, before);
  const wanted = [...wantedBy(targets, after)].filter(unit => !had.has(unit) && !(unit in states));
  return new Set(wanted.filter(unit => !unit.endsWith('.target') && definition(unit, after.units) !== null));
}

/** All that these units want, directly or not. */
function wantedBy(from: readonly string[], { units, wants }: Units): Set<string> {
  const links = new Map<string, string[]>();
  for (const link of wants) {
    const [, unit = '', wanted = ''] = /^(.*)\.(?:wants|requires|upholds)\/(.*)$/.exec(link) ?? [];
    links.set(unit, [...(links.get(unit) ?? []), wanted]);
  }
  const reached = new Set(from);
  for (const unit of reached) {
    for (const next of [...(links.get(unit) ?? []), ...namedIn(unit, units)]) reached.add(next);
  }
  for (const unit of from) reached.delete(unit);
  return reached;
}

function namedIn(unit: string, units: Units['units']): string[] {
  const text = definition(unit, units);
  if (text === null) return [];
  const keys = ['Wants', 'Requires', 'BindsTo', 'Upholds'];
  try {
    const section = readUnit([{ name: unit, text }]).get('Unit');
    return keys.flatMap(key => section?.get(key) ?? []).flatMap(value => value.split(/\s+/));
  } catch (error) {
    // systemd reads what it can of such a file.
    if (error instanceof UnparsableUnit) return [];
    throw error;
  }
}

/** The text of a unit's own file or of its template's; null without one. */
function definition(unit: string, units: Units['units']): string | null {
  return units[unit] ?? units[unit.replace(/@[^.]*\./, '@.')] ?? null;
}
