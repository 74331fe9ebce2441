import type { UnitChanges } from './outcome.ts';

export function noUnits(): UnitChanges {
  return { stop: [], start: [], restart: [], reload: [], kept: [], failed: [] };
}

/**
 * Sorts the units that switch-to-configuration names. Both its forms are read: what it would do ("would restart the
 * following units: a.service, b.service") and what it does ("restarting the following units: …", "the following new units
 * were started: …", "warning: the following units failed: …"); nixos/modules/system/activation in nixpkgs.
 */
export function readUnits(log: readonly string[]): UnitChanges {
  const units = noUnits();
  for (const line of log) {
    const [, words = '', names = ''] = /^(.*?)\bunits(?: were started| failed)?: (.+)$/.exec(line.trim()) ?? [];
    const kind = kinds.find(([pattern]) => pattern.test(line))?.[1];
    if (words === '' || kind === undefined) continue;
    for (const name of names.split(',').map(text => text.trim())) {
      if (name !== '' && !units[kind].includes(name)) units[kind].push(name);
    }
  }
  return units;
}

const kinds: readonly [RegExp, keyof UnitChanges][] = [
  [/\bNOT (stop|restart)\w* the following changed units: /, 'kept'],
  [/units failed: /, 'failed'],
  [/new units were started: /, 'start'],
  [/^\s*(would stop|stopping) the following units/, 'stop'],
  [/^\s*(would start|starting) the following units/, 'start'],
  [/^\s*(would restart|restarting) the following units/, 'restart'],
  [/^\s*(would reload|reloading) the following units/, 'reload'],
];
