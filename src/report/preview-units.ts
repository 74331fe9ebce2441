import { count } from '../amounts.ts';
import type { UnitChange } from '../preview/index.ts';

/** What happens to units, in the order in which a reader needs it. */
export interface UnitEffect {
  words: string;
  names: string[];
}

/** What a switch would do to units. A unit that is stopped before the activation and started after it is restarted. */
export function unitEffects(units: UnitChange): UnitEffect[] {
  const condition = units.statesKnown ? '' : ', if running';
  const both = new Set(units.stop.filter(unit => units.start.includes(unit)));
  const rest = (names: readonly string[]): string[] => names.filter(unit => !both.has(unit));
  const effects: UnitEffect[] = [
    { words: `stops${condition}`, names: rest(units.stop) },
    { words: `restarts${condition}`, names: [...new Set([...units.restart, ...both])] },
    { words: `reloads${condition}`, names: units.reload },
    { words: `starts${condition}`, names: rest(units.start) },
    { words: 'starts, new', names: units.fresh },
    { words: 'leaves running in the old version', names: units.kept },
    { words: 'turns off swap', names: units.swapOff },
  ];
  return effects.filter(({ names }) => names.length > 0);
}

/** What else is known and what cannot be known, as sentences. */
export function unitNotes({ restartsSystemd, error, unknown }: UnitChange): string[] {
  return [...(error === null ? [] : [error]), ...(restartsSystemd ? ['systemd is re-executed.'] : []), ...unknown];
}

/** "3 units": how many are affected. */
export function unitCount(units: UnitChange): string {
  return count(new Set(unitEffects(units).flatMap(({ names }) => names)).size, 'unit');
}
