import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Mode } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { buildSystems, configuration, deployment, deployOne, localNix } from '../support/deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from '../support/target.ts';

let nix: Nix;
let key: Key;
let web: Target;
let systems: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  systems = await buildSystems(nix);
  // Then sshd logs each session too.
  await web.says('sh', '-c', 'echo "LogLevel VERBOSE" >/etc/ssh/sshd_config.d/0-verbose.conf && systemctl restart ssh');
  await until(() => exec('ssh-keyscan', ['-T', '2', web.address]), 'sshd');
  await measured('switch', 'one');
});
afterAll(() => web?.stop());

/** What a deployment cost in SSH: connections (TCP, key exchange, authentication) and sessions (a round trip, a command). */
interface Cost {
  outcome: string;
  connections: number;
  sessions: number;
}

async function measured(mode: Mode, name: string, more = {}): Promise<Cost> {
  const before = await logged();
  const config = configuration(mode, key.private, web.knownHosts, more);
  const { outcome } = await deployOne(nix, config, deployment(web, systems[name] ?? `no system ${name}`));
  const after = await logged();
  return {
    outcome,
    connections: after.connections - before.connections,
    sessions: after.sessions - before.sessions,
  };
}

async function logged(): Promise<Omit<Cost, 'outcome'>> {
  await web.says('journalctl', '--sync');
  // Sessions are logged outside of ssh.service, in the scope of their login.
  const journal = await web.says('journalctl', '-t', 'sshd', '-t', 'sshd-session', '-o', 'cat');
  const count = (pattern: RegExp): number => journal.match(pattern)?.length ?? 0;
  return { connections: count(/^Accepted publickey /gm), sessions: count(/^Starting session: /gm) };
}

// By hand, it is one connection with two sessions: `nix copy` and `switch-to-configuration`.
test.each<[string, Mode, string, object, Cost]>([
  ['nothing to do: the probe', 'switch', 'one', {}, { outcome: 'unchanged', connections: 1, sessions: 1 }],
  [
    'a dry run: probe, copy, run, finish',
    'dry-activate',
    'two',
    {},
    { outcome: 'planned', connections: 1, sessions: 4 },
  ],
  [
    'a switch without a confirmation: the same',
    'switch',
    'two',
    { confirmTimeout: 0 },
    { outcome: 'deployed', connections: 1, sessions: 4 },
  ],
  [
    'a switch with one: a connection and a session more',
    'switch',
    'one',
    {},
    { outcome: 'deployed', connections: 2, sessions: 5 },
  ],
  ['`boot`, which has nothing to confirm', 'boot', 'two', {}, { outcome: 'deployed', connections: 1, sessions: 4 }],
])('%s', async (_, mode, name, more, cost) => {
  expect(await measured(mode, name, more)).toEqual(cost);
});
