import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import type { Secret } from '../../../src/plan/fleet.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
import {
  address,
  buildSystems,
  configuration,
  deployment,
  deployOne,
  emulating,
  localNix,
} from '../support/deploy-fixture.ts';
import { generateKey, type Key, startAarch64Target, type Target } from '../support/target.ts';

// Secrets of an aarch64 machine without systemd, for a user who is not root.

let nix: Nix;
let key: Key;
let pi: Target;
let systems: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, pi] = await Promise.all([localNix(), startAarch64Target({ name: 'web', deployKey: key })]);
  systems = await emulating(() => buildSystems(nix, 'aarch64-linux', 'secret-systems.nix'));
}, 240_000);
afterAll(() => pi?.stop());

function go(name: string, text: string, mode: Mode = 'switch', health = 'true'): Promise<Outcome> {
  const secret: Secret = {
    ...{ name: 'token', source: { text: new SecretText(text) }, destination: '/run/keys/token', user: 'daemon' },
    ...{ group: 'adm', permissions: '0440', action: ['echo ran >>/var/tmp/actions'] },
    ...{ mkDirs: true, uploadAt: 'pre-activation' },
  };
  const checks = { cmd: [{ description: 'a check', cmd: [health], period: 1, timeout: 5 }], http: [] };
  const target = address(pi, { user: 'deploy', privilegeEscalation: ['sudo', '-n'] });
  return deployOne(
    nix,
    configuration(mode, key.private, pi.knownHosts, { healthTimeout: 2 }),
    deployment(pi, systems[name] ?? '', { target, secrets: [secret], healthChecks: checks }),
  );
}

const facts = (): Promise<string> =>
  pi.says('sh', '-c', 'cat /run/keys/token; stat -c " %U:%G %a" /run/keys/token; cat /var/tmp/actions | wc -l');

test('a secret comes with the activation', async () => {
  expect(await go('one', 'first')).toMatchObject({ outcome: 'deployed', secrets: { changed: ['token'] } });
  expect(await facts()).toBe('first daemon:adm 440\n1');
}, 400_000);

test('it goes back with the activation, and its action runs with the old one again', async () => {
  expect(await go('two', 'second', 'switch', 'false')).toMatchObject({ outcome: 'rolled-back', after: systems.one });
  expect(await facts()).toBe('first daemon:adm 440\n3');
}, 400_000);

test('it is compared and replaced without an activation', async () => {
  expect(await go('one', 'third', 'dry-activate')).toMatchObject({ secrets: { changed: ['token'] } });
  expect(await facts()).toBe('first daemon:adm 440\n3');
  expect(await go('one', 'third', 'secrets')).toMatchObject({ outcome: 'deployed' });
  expect(await go('one', 'third', 'secrets')).toMatchObject({ outcome: 'unchanged' });
  expect(await facts()).toBe('third daemon:adm 440\n4');
  expect(await pi.says('sh', '-c', 'ls -A /run/keys; ls -d /run/nix-ferry/*.secrets 2>/dev/null; :')).toBe('token');
}, 400_000);
