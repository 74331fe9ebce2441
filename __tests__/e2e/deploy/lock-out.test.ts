import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nix } from '../../../src/nix/index.ts';
import { buildSystems, configuration, deployment, deployOne, localNix } from '../support/deploy-fixture.ts';
import { testAddress } from '../support/link.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from '../support/target.ts';

let nix: Nix;
let key: Key;
let web: Target;
let systems: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  await web.says('sh', '-c', 'echo "$0" > /run/deployer', testAddress);
  systems = await buildSystems(nix, 'x86_64-linux', 'lock-out-systems.nix');
});
afterAll(() => web?.stop());

const toplevel = (name: string): string => systems[name] ?? `no system ${name}`;
const go = (name: string, more = {}) => {
  const asDeploy = {
    user: 'deploy',
    privilegeEscalation: ['sudo', '-n'],
    sshOptions: [],
    sshOptionsFrom: 'targets' as const,
    substituteOnDestination: false,
  };
  const target = { address: web.address, port: null, ...asDeploy };
  const config = configuration('switch', key.private, web.knownHosts, { confirmTimeout: 5, ...more });
  return deployOne(nix, config, deployment(web, toplevel(name), { target }));
};

/**
 * When the last activation of a system that locks out began, when it had locked out, and when the target had gone back, in
 * seconds by the clock of its journal.
 */
async function lockOutTimes(): Promise<Record<'began' | 'locked' | 'back', number>> {
  const units = ['-u', 'lock-out.service', '-u', 'nix-ferry-*'];
  const journal = await web.says('journalctl', '--boot', '--output=json', '--output-fields=MESSAGE', ...units);
  const lines = journal.split('\n').map(line => {
    const { MESSAGE, __MONOTONIC_TIMESTAMP } = JSON.parse(line) as Record<string, string>;
    return { text: MESSAGE ?? '', seconds: Number(__MONOTONIC_TIMESTAMP) / 1e6 };
  });
  const locked = lines.findLastIndex(({ text }) => text.startsWith('Finished lock-out.service'));
  const began = lines.slice(0, locked).findLast(({ text }) => /^Started nix-ferry-[^ ]*-[^ ]*\.service/.test(text));
  const back = lines.slice(locked).find(({ text }) => text === 'result=went-back');
  if (began === undefined || back === undefined) throw new Error(journal);
  return { began: began.seconds, locked: lines[locked]?.seconds ?? Number.NaN, back: back.seconds };
}

describe('a system that locks its deployer out is left again', () => {
  beforeEach(async () => {
    expect(['deployed', 'unchanged']).toContain((await go('good')).outcome);
  });

  test.each([
    ['sshd', 'Connection refused'],
    ['firewall', '(timed out|came about too late|did not come about in time)'],
    ['address', '(timed out|came about too late|did not come about in time|No route to host)'],
    ['key', 'Permission denied \\(publickey\\)'],
    ['sudo', 'sudo: .*password'],
  ])('%s', async (name, why) => {
    const outcome = await go(name);
    expect(outcome.message).toMatch(
      new RegExp(`^Not confirmed within 5 s: .*${why}.* is back on ${toplevel('good')}\\.$`),
    );
    expect(outcome).toMatchObject({ outcome: 'rolled-back', before: toplevel('good'), after: toplevel('good') });
    expect([await web.currentSystem(), await web.profile()]).toEqual([toplevel('good'), toplevel('good')]);
    // By the target's timers: 5 s, and 10 s to go back, or more on a machine that takes long for everything.
    const { began, locked, back } = await lockOutTimes();
    expect(back - locked).toBeGreaterThanOrEqual(5 - 1);
    expect(back - locked).toBeLessThanOrEqual(5 + Math.max(10, 8 * (locked - began)));
    // The same closure again: it is neither `unchanged` nor refused.
    expect(await go(name)).toMatchObject({ outcome: 'rolled-back', after: toplevel('good') });
    // What runs: there is nothing to do, and no generation is added.
    const generations = await web.generations();
    expect(await go('good')).toMatchObject({ outcome: 'unchanged', after: toplevel('good') });
    expect(await web.generations()).toEqual(generations);
  });
});

test('without a confirmation, such a system stays: `confirm-timeout: 0`', async () => {
  expect(await go('sudo', { confirmTimeout: 0 })).toMatchObject({ outcome: 'deployed', after: toplevel('sudo') });
  await web.says('systemctl', 'stop', 'lock-out.service');
});
