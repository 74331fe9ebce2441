import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { deploy } from '../../../src/deploy/index.ts';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { buildSystems, configuration, context, deployment, localNix, recorder } from '../support/deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from '../support/target.ts';

// Every way in which switch-to-configuration may end, on the way there (`test`, then `boot`) and on the way back, on one
// machine each. Its script is not a real one: the real one returns many of these codes only in rare moments.

/** Where it ends so. On the way back, the new system's `test` has failed before. */
const places = ['test', 'boot', 'back'] as const;
type Place = (typeof places)[number];
type When = 'before' | 'after';

let nix: Nix;
let key: Key;
let machines: Record<Place, Target>;
let systems: { old: string; new: string };

beforeAll(async () => {
  key = await generateKey('deploy');
  nix = await localNix();
  const started = places.map(async place => [place, await startSystemdTarget({ name: place, deployKey: key })]);
  machines = Object.fromEntries(await Promise.all(started));
  const { old = '', new: next = '' } = await buildSystems(nix, 'x86_64-linux', 'scripted-systems.nix');
  systems = { old, new: next };
  await reset();
}, 120_000);
afterEach(reset, 120_000);
afterAll(() => Promise.all(Object.values(machines ?? {}).map(target => target.stop())));

async function go(name: 'old' | 'new', activationTimeout = 60): Promise<Record<Place, Outcome>> {
  const wanted = places.map(place => deployment(machines[place], systems[name]));
  const knownHosts = places.map(place => machines[place].knownHosts).join('\n');
  const config = configuration('switch', key.private, knownHosts, { confirmTimeout: 0, activationTimeout });
  const outcomes = await deploy(wanted, config, nix, context(recorder()));
  return Object.fromEntries(outcomes.map(outcome => [outcome.host, outcome])) as Record<Place, Outcome>;
}

/** The next run, with a switch-to-configuration that works: each machine is on the old system. */
async function reset(): Promise<void> {
  for (const { machine } of Object.values(machines)) {
    rmSync(machine.path('/run/script'), { recursive: true, force: true });
    mkdirSync(machine.path('/run/script'));
  }
  const outcomes = await go('old');
  for (const place of places) {
    expect(['deployed', 'unchanged']).toContain(outcomes[place].outcome);
    expect(await stateOf(place)).toEqual({ current: systems.old, profile: systems.old, boot: systems.old });
  }
}

const script = (place: Place, name: string, when: When, how: string): void =>
  writeFileSync(machines[place].machine.path(`/run/script/${name}`), `${when} ${how}\n`);

async function stateOf(place: Place): Promise<{ current: string | null; profile: string | null; boot: string }> {
  const target = machines[place];
  const loader =
    'sed -n "s,options init=\\(.*\\)/init,\\1,p" "/boot/loader/entries/$(cut -d " " -f 2 /boot/loader/loader.conf)"';
  return {
    current: await target.currentSystem(),
    profile: await target.profile(),
    boot: await target.says('sh', '-c', loader),
  };
}

interface Expected {
  outcome: Outcome['outcome'];
  /** Part of the message. */
  words: string;
  /** What runs, and what the profile and the boot loader start. */
  runs: 'old' | 'new';
  boots: 'old' | 'new';
}

const codes = ['1', '2', '3', '4', '11', '17', '22', '100', '101', '255', 'KILL', 'hang'] as const;
type How = (typeof codes)[number];

const inWords = (verb: string, how: How): string =>
  how === 'hang'
    ? `switch-to-configuration ${verb} did not end within 5 s`
    : `switch-to-configuration ${verb} ended with exit code ${how === 'KILL' ? 137 : how}`;
const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const isBack = { outcome: 'rolled-back', runs: 'old', boots: 'old' } as const;

function expected(place: Place, when: When, how: How): Expected {
  if (place === 'test') return expectedOfTest(when, how);
  if (place === 'boot')
    return { ...isBack, words: `The boot loader could not be installed: ${inWords('boot', how)}. ` };
  // Nothing but failed units (4) is a way back that succeeded.
  if (when === 'after' && how === '4') return { ...isBack, words: `The target is back on ${systems.old}.` };
  const why = how === 'hang' ? 'did not end within 5 s' : `ended with ${how === 'KILL' ? 137 : how}`;
  const runs = when === 'after' ? 'old' : 'new';
  const now = runs === 'old' ? `runs and boots ${systems.old}.` : `runs ${systems[runs]}, `;
  const words =
    how === '4'
      ? `could not go back wholly: the machine runs ${systems.new}, not ${systems.old}`
      : `switch-to-configuration of the old system ${why}. Now it ${now}`;
  return { outcome: 'failed', runs, boots: 'old', words };
}

function expectedOfTest(when: When, how: How): Expected {
  if (how === 'hang') return { ...isBack, words: `${capital(inWords('test', how))}. The target is back on ` };
  if (when === 'after') {
    if (how === '4')
      return { outcome: 'degraded', runs: 'new', boots: 'new', words: 'reports failed units (exit code 4)' };
    const more = how === '100' ? ': its init interface is another one' : '';
    return { ...isBack, words: `${capital(inWords('test', how))}${more}. The target is back on ` };
  }
  if (how === '4') return { ...isBack, words: `ended with 4, and the machine runs ${systems.old}` };
  if (how === '100') return { outcome: 'needs-reboot', runs: 'old', boots: 'new', words: 'The next boot starts it.' };
  return {
    outcome: 'refused',
    runs: 'old',
    boots: 'old',
    words: `${capital(inWords('test', how))}. Nothing was changed.`,
  };
}

describe.each(['before', 'after'] as const)('switch-to-configuration that ends %s its work', when => {
  test.each(codes)(
    'with %s',
    async how => {
      script('test', 'new-test', when, how);
      script('boot', 'new-boot', when, how);
      script('back', 'new-test', 'after', '2');
      script('back', 'old-test', when, how);
      const outcomes = await go('new', how === 'hang' ? 5 : 60);
      for (const place of places) {
        const { outcome, words, runs, boots } = expected(place, when, how);
        const { message, after, outcome: found } = outcomes[place];
        expect([place, found, message]).toEqual([place, outcome, expect.stringContaining(words)]);
        expect(await stateOf(place)).toEqual({ current: systems[runs], profile: systems[boots], boot: systems[boots] });
        expect(after).toBe(systems[runs]);
        expect(
          await machines[place].says(
            'sh',
            '-c',
            'ls -d /run/nix-ferry/*/ /var/lib/nix-ferry/activating* 2>/dev/null; :',
          ),
        ).toBe('');
      }
    },
    120_000,
  );
});
