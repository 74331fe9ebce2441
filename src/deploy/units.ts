/** Unit names as switch-to-configuration prints them ("would restart the following units: …"). */
export interface UnitChanges {
  stop: string[];
  start: string[];
  restart: string[];
  reload: string[];
  /** Changed, but left running in the old version ("NOT restarting the following changed units: …"). */
  kept: string[];
  failed: string[];
}

export function noUnits(): UnitChanges {
  return { stop: [], start: [], restart: [], reload: [], kept: [], failed: [] };
}

/**
 * Sorts the units that switch-to-configuration prints by what happens to them. It reads both forms: what would be done
 * ("would restart the following units: a.service, b.service") and what is done ("restarting the following units: …", "the
 * following new units were started: …", "warning: the following units failed: …"). Source: nixos/modules/system/activation
 * in nixpkgs.
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
