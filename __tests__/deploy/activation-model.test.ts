import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Protocol } from './model/activation.ts';
import { explore } from './model/explore.ts';

// The script's own list: the model takes the phases in its order.
const list = readFileSync(join(import.meta.dirname, '../../target/activation/phases.sh'), 'utf8');
const phases = /^phases='(.*)'$/m.exec(list)?.[1]?.split(' ') ?? [];

/** The phases with `phase` moved to before another one. */
function moved(phase: string, before: string): string[] {
  const others = phases.filter(name => name !== phase);
  return others.toSpliced(others.indexOf(before), 0, phase);
}

test.each([
  [2, 0],
  [1, 1],
])('no order of steps with up to %i disasters and %i failures breaks the protocol', (disasters, failures) => {
  const { states, violations } = explore({ phases, disasters, failures });
  expect(Object.fromEntries(violations)).toEqual({});
  expect(states).toBeGreaterThan(10_000);
});

test.each([
  [2, 0],
  [1, 1],
])('nor does a reboot, with up to %i disasters and %i failures', (disasters, failures) => {
  const { states, violations } = explore({ phases, reboots: true, disasters, failures });
  expect(Object.fromEntries(violations)).toEqual({});
  expect(states).toBeGreaterThan(10_000);
});

describe('the model finds', () => {
  const mutations: Record<string, Omit<Protocol, 'disasters' | 'failures'>> = {
    'commit before confirm': { phases: moved('commit', 'confirm') },
    'disarm before commit': { phases: moved('disarm', 'commit') },
    'arm after activate': { phases: moved('arm', 'verify') },
    'confirm before activate': { phases: moved('activate', 'commit') },
    'a phase that is recorded when it has ended': { phases, recordAfterwards: true },
    'a look without the lock': { phases, lookWithoutLock: true },
    'a run that does not settle the open record': { phases, withoutSettling: true },
    'settling that trusts the phase alone': { phases, settleTrustsPhase: true },
    'a way back that leaves the profile': { phases, backOnlyRuns: true },
    'a result that is not read back': { phases, resultUnread: true },
    'a switch that does not look at the lock': { phases, switchIgnoresLock: true },
    'a switch whose timer goes on for ever': { phases, switchFiresForEver: true },
    'a supervisor without a clock of its own': { phases, withoutClock: true },
    'a switch that never ends a supervisor that hangs': { phases, switchNeverEnds: true },
    'a new default before the reboot into it': { phases, reboots: true, stagedAsDefault: true },
    'a reboot after which nothing goes on': { phases, reboots: true, notCarried: true },
    'a reboot that is confirmed before it happens': { phases: moved('confirm', 'reboot'), reboots: true },
  };
  test.each(Object.entries(mutations))('%s', (_name, protocol) => {
    // Whatever goes on for ever is only seen at the end.
    const { violations } = explore({ ...protocol, disasters: 1, failures: 1 }, !protocol.switchFiresForEver);
    expect([...violations.keys()]).not.toEqual([]);
  });
});
