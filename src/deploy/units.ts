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

/** Units that every activation restarts: they say nothing. */
const noise = ['sysinit-reactivation.target', 'systemd-tmpfiles-resetup.service', 'nixos-activation.service'];

/**
 * Sorts the units that switch-to-configuration prints by what happens to them. It reads both forms: what would be done
 * ("would restart the following units: a.service, b.service") and what is done ("restarting the following units: …", "the
 * following new units were started: …", "warning: the following units failed: …", "Failed to reload c.service"), and the
 * same for units of users. Source: nixos/modules/system/activation and switch-to-configuration-ng in nixpkgs.
 */
export function readUnits(log: readonly string[]): UnitChanges {
  const units = noUnits();
  const add = (kind: keyof UnitChanges, name: string): void => {
    if (name !== '' && !noise.includes(name) && !units[kind].includes(name)) units[kind].push(name);
  };
  for (const line of log) {
    const failed = /^Failed to (?:start|stop|restart|reload) (?:user unit )?(\S+\.[a-z]+)$/.exec(line.trim())?.[1];
    if (failed !== undefined) add('failed', failed);
    const [, words = '', names = ''] = /^(.*?)\bunits(?: were started| failed)?: (.+)$/.exec(line.trim()) ?? [];
    const kind = kinds.find(([pattern]) => pattern.test(line))?.[1];
    if (words === '' || kind === undefined) continue;
    for (const name of names.split(',')) add(kind, name.trim());
  }
  return units;
}

const kinds: readonly [RegExp, keyof UnitChanges][] = [
  [/\bNOT (stop|restart)\w* the following changed units: /, 'kept'],
  [/units failed: /, 'failed'],
  [/new units were started: /, 'start'],
  [/^\s*(would stop|stopping) the following (user )?units/, 'stop'],
  [/^\s*(would start|starting) the following (user )?units/, 'start'],
  [/^\s*(would restart|restarting) the following (user )?units/, 'restart'],
  [/^\s*(would reload|reloading) the following (user )?units/, 'reload'],
];

/** What else would happen, as lines: "would remove user ‘eve’", "would stop swap device: /swapfile". */
export function otherChanges(log: readonly string[]): string[] {
  return log
    .map(line => line.trim())
    .filter(line => /^would /.test(line) && !/\bunits: |^would activate the configuration/.test(line));
}
