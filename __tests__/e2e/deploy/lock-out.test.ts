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
    // The same closure again: it is neither `unchanged` nor refused.
    expect(await go(name)).toMatchObject({ outcome: 'rolled-back', after: toplevel('good') });
  });
});

test('without a confirmation, such a system stays: `confirm-timeout: 0`', async () => {
  expect(await go('sudo', { confirmTimeout: 0 })).toMatchObject({ outcome: 'deployed', after: toplevel('sudo') });
  await web.says('systemctl', 'stop', 'lock-out.service');
});
