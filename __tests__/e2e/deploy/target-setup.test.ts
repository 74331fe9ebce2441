import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretText } from '../../../src/plan/secret-text.ts';
import { generateKey, startSystemdTarget } from '../support/target.ts';
import { TargetSetupFixture } from '../support/target-setup-fixture.ts';

// A machine that had nothing is set up with an administrator's key; everything else is done with the restricted keys.

let web: TargetSetupFixture;
let untouched: string;

beforeAll(async () => {
  web = await TargetSetupFixture.start(startSystemdTarget);
  untouched = await web.footprint();
}, 300_000);
afterAll(() => web?.stop());

const check = (command: string) => ({
  cmd: [{ description: 'a check', cmd: ['sh', '-c', command], period: 1, timeout: 5 }],
  http: [],
});
const secret = (text: string) => ({
  name: 'db',
  source: { text: new SecretText(text) },
  ...{ destination: '/run/keys/db', user: 'root', group: 'root', permissions: '0440' },
  ...{ action: [], mkDirs: true, uploadAt: 'pre-activation' as const },
});
const current = (): Promise<string | null> => web.target.currentSystem();

describe('a machine that cannot have a gate is left alone', () => {
  test.each<[string, string, string, string]>([
    ['it is not NixOS', 'mv /etc/NIXOS /tmp/', 'mv /tmp/NIXOS /etc/', 'it does not run NixOS'],
    [
      'its users are those of its configuration',
      'mv /usr/sbin/useradd /tmp/',
      'mv /tmp/useradd /usr/sbin/',
      'users.mutableUsers = false',
    ],
    ['the user is there', 'useradd nix-ferry', 'userdel nix-ferry', 'it has a user nix-ferry already'],
    [
      'the module is there',
      'mkdir /etc/ssh/authorized_keys.d && : >/etc/ssh/authorized_keys.d/nix-ferry',
      'rm -r /etc/ssh/authorized_keys.d',
      'its configuration has services.nix-ferry.gate already',
    ],
    [
      'its sshd reads other keys',
      'mv /etc/ssh/sshd_config.d/nixos.conf /tmp/',
      'mv /tmp/nixos.conf /etc/ssh/sshd_config.d/',
      'its sshd does not read /etc/ssh/authorized_keys.d/%u (AuthorizedKeysFile is /etc/ssh/authorized_keys)',
    ],
    [
      'its sshd lets nobody else in',
      'echo "AllowUsers root deploy" >/etc/ssh/sshd_config.d/allow.conf',
      'rm /etc/ssh/sshd_config.d/allow.conf',
      'its sshd lets only some users in (allowusers)',
    ],
    ['it has no netcat', 'mv /usr/bin/nc /tmp/', 'mv /tmp/nc /usr/bin/', 'there is no netcat of OpenBSD (nc)'],
    [
      'an activation is in progress',
      'mkdir -p /var/lib/nix-ferry && : >/var/lib/nix-ferry/activating.json',
      'rm -r /var/lib/nix-ferry',
      'an activation is in progress',
    ],
  ])(
    '%s',
    async (_, before, after, message) => {
      await web.target.says('sh', '-c', before);
      const prepared = await web.footprint();
      const result = await web.setUp();
      expect(await web.footprint()).toBe(prepared);
      await web.target.says('sh', '-c', after);
      expect(result).toMatchObject({ done: 'failed', message: expect.stringContaining(message) });
    },
    60_000,
  );

  test('the key is not accepted', async () => {
    const result = await web.setUp({}, await generateKey('stranger'));
    expect(result).toMatchObject({
      done: 'failed',
      message: expect.stringContaining('does not accept the deploy key'),
    });
    expect(await web.footprint()).toBe(untouched);
  }, 60_000);

  test('the gate does not answer: what was made is taken away', async () => {
    await web.target.says('chmod', '700', '/nix/var/nix/daemon-socket');
    const result = await web.setUp();
    await web.target.says('chmod', '755', '/nix/var/nix/daemon-socket');
    const message =
      'nix-daemon does not let the user nix-ferry in (nix.settings.allowed-users). The machine is as it was';
    expect(result).toMatchObject({ done: 'failed', message: expect.stringContaining(message) });
    expect(await web.footprint()).toBe(untouched);
  }, 60_000);
});

describe('a machine that had nothing', () => {
  test('is set up, and told what belongs in its configuration', async () => {
    const result = await web.setUp();
    expect(result).toMatchObject({
      ...{ done: 'set-up', changed: true, host: 'web', target: `nix-ferry@${web.target.address}` },
      module: expect.stringContaining(`deployKeys = [\n    "${web.keys.deploy.public}"\n  ];`),
    });
  }, 60_000);

  test('a second run changes nothing', async () => {
    const before = await web.footprint();
    expect(await web.setUp()).toMatchObject({ done: 'set-up', changed: false });
    expect(await web.footprint()).toBe(before);
  }, 60_000);

  test('gets its first system with the deploy key, with a secret', async () => {
    const outcome = await web.deploy('one', { secrets: [secret('first')] });
    expect(outcome).toMatchObject({ outcome: 'deployed', message: expect.stringContaining('Runs and boots') });
    expect(await current()).toBe(web.toplevels.one);
    expect(await web.target.says('cat', '/run/keys/db')).toBe('first');
  }, 120_000);

  test('is previewed with the preview key, which cannot deploy', async () => {
    const { one, two } = web.toplevels;
    expect(await web.preview('two')).toMatchObject({ known: true, change: { before: one, after: two } });
    const outcome = await web.deploy('two', {}, { key: web.keys.preview });
    const message = expect.stringContaining('this key may only describe');
    expect(outcome).toMatchObject({ outcome: 'refused', message });
    expect(await current()).toBe(one);
  }, 60_000);

  test('takes back a system whose check fails, and its secret', async () => {
    const more = { healthChecks: check('false'), secrets: [secret('second')] };
    expect(await web.deploy('two', more, { healthTimeout: 2 })).toMatchObject({ outcome: 'rolled-back' });
    expect(await current()).toBe(web.toplevels.one);
    expect(await web.target.says('cat', '/run/keys/db')).toBe('first');
  }, 120_000);

  test('gets another system, and secrets alone', async () => {
    expect(await web.deploy('two')).toMatchObject({ outcome: 'deployed' });
    expect(await current()).toBe(web.toplevels.two);
    const sent = await web.deploy('two', { secrets: [secret('third')] }, { mode: 'secrets' });
    expect(sent).toMatchObject({ outcome: 'deployed' });
    expect(await web.target.says('cat', '/run/keys/db')).toBe('third');
  }, 120_000);

  test.each(['deploy', 'preview'] as const)(
    'gives the %s key no shell, and root to nobody',
    async name => {
      const key = web.keys[name];
      for (const command of [[], ['id'], ['sh', '-c', 'id'], ['nix-ferry-gate', '1', 'supervise', 'x']]) {
        const { code, stdout, stderr } = await web.ssh(key, command);
        expect({ code, stdout }).toEqual({ code: 77, stdout: '' });
        expect(stderr).toMatch(/^nix-ferry-gate: /m);
      }
      const { code, stderr } = await web.ssh(key, ['id'], 'root');
      expect([code, stderr]).toEqual([255, expect.stringContaining('Permission denied')]);
    },
    60_000,
  );

  test('lets no other user ask its root', async () => {
    const ask = 'echo "SHA256:x probe" | nc -N -U /run/ferry-gate.socket';
    const as = (user: string) =>
      web.target.machine.run(['setpriv', `--reuid=${user}`, 'sh', '-c', ask], { allow: [0, 1] });
    expect((await as('deploy')).code).toBe(1);
    expect((await as('nobody')).code).toBe(1);
    // It is there: its own user gets an answer.
    expect((await as('nix-ferry')).stdout).toContain('nix-ferry-gate-end 77 ');
  });

  test('leaves no failed unit behind, and no file of a request', async () => {
    const script =
      'systemctl list-units --all --plain --no-legend "ferry-gate@*"; ls -d /run/nix-ferry-gate.* 2>/dev/null; :';
    expect(await web.target.says('sh', '-c', script)).toBe('');
  });
});

describe('other systems', () => {
  test('one that removes the user is not confirmed; afterwards the gate is there again', async () => {
    const outcome = await web.deploy('immutable', {}, { confirmTimeout: 5 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', message: expect.stringContaining('Permission denied') });
    expect(await current()).toBe(web.toplevels.two);
    expect(await web.deploy('three')).toMatchObject({ outcome: 'deployed' });
  }, 180_000);

  test('one with the module that is taken back leaves the gate as it was', async () => {
    // Whether or not switch-to-configuration starts the unit that keeps it.
    const wanted = '/etc/systemd/system.control/multi-user.target.wants/ferry-gate-keep.service';
    await web.target.says('sh', '-c', `rm ${wanted} && systemctl daemon-reload`);
    const outcome = await web.deploy('module', { healthChecks: check('false') }, { healthTimeout: 2 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back' });
    expect(await web.deploy('two')).toMatchObject({ outcome: 'deployed' });
  }, 180_000);

  test('after a loss of power in such an activation, the gate is there again', async () => {
    await web.target.says('rm', '/etc/ssh/authorized_keys.d/nix-ferry');
    await web.target.says('userdel', '--force', 'nix-ferry');
    await web.target.powerCut();
    await web.target.powerOn();
    expect(await web.deploy('three')).toMatchObject({ outcome: 'deployed' });
  }, 180_000);
});

describe('changes', () => {
  test('another key takes the place of the first one', async () => {
    const second = await generateKey('second');
    const result = await web.setUp({ 'gate-deploy-keys': second.public });
    expect(result).toMatchObject({ done: 'set-up', changed: true });
    expect(await web.deploy('two')).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('does not accept'),
    });
    expect(await web.deploy('two', {}, { key: second })).toMatchObject({ outcome: 'deployed' });
    expect(await web.setUp()).toMatchObject({ done: 'set-up', changed: true });
  }, 120_000);

  test('if the new keys cannot be tried, the old ones stay', async () => {
    const second = await generateKey('second');
    const before = (await web.target.says('cat', '/var/lib/nix-ferry-gate/current/keys')).split('\n');
    await web.target.says('chmod', '700', '/nix/var/nix/daemon-socket');
    const result = await web.setUp({ 'gate-deploy-keys': second.public });
    await web.target.says('chmod', '755', '/nix/var/nix/daemon-socket');
    expect(result).toMatchObject({ done: 'failed', message: expect.stringContaining('The machine is as it was') });
    expect((await web.target.says('cat', '/var/lib/nix-ferry-gate/current/keys')).split('\n')).toEqual(before);
    expect(await web.deploy('three')).toMatchObject({ outcome: 'deployed' });
  }, 120_000);

  test('--remove takes everything away, once', async () => {
    expect(await web.setUp({ remove: 'true' })).toEqual({ done: 'removed', changed: true, host: 'web' });
    const normal = (text: string): string => text.replaceAll(/InvocationID=.*/g, '');
    expect(normal(await web.footprint())).toBe(normal(untouched));
    expect((await web.ssh(web.keys.deploy, ['nix-ferry-gate', '1', 'describe'])).code).toBe(255);
    expect(await web.setUp({ remove: 'true' })).toEqual({ done: 'removed', changed: false, host: 'web' });
  }, 60_000);
});

describe('a set-up that is interrupted', () => {
  /** Waits, on the target, before the user is made. */
  const slowly = async (): Promise<void> => {
    const script =
      '#!/bin/sh\n: >/tmp/waiting\nuntil [ -e /tmp/go ]; do sleep 0.1; done\nexec /usr/sbin/useradd.real "$@"\n';
    await web.target.says('mv', '/usr/sbin/useradd', '/usr/sbin/useradd.real');
    await web.target.machine.run(['sh', '-c', 'cat >/usr/sbin/useradd && chmod 755 /usr/sbin/useradd'], {
      input: script,
    });
  };
  const undone = (): Promise<string> =>
    web.target.says('sh', '-c', 'mv /usr/sbin/useradd.real /usr/sbin/useradd; rm -f /tmp/waiting /tmp/go');
  const begun = 'until [ -e /tmp/waiting ]; do sleep 0.1; done';

  test('by the loss of its connection is completed', async () => {
    await slowly();
    const stopped = new AbortController();
    const running = web.setUp({}, web.keys.admin, stopped.signal);
    await web.target.says('sh', '-c', begun);
    stopped.abort();
    expect(await running).toMatchObject({
      done: 'failed',
      message: expect.stringContaining('Run it again to find out'),
    });
    await web.target.says(
      'sh',
      '-c',
      ': >/tmp/go; until [ -e /etc/ssh/authorized_keys.d/nix-ferry ]; do sleep 0.1; done',
    );
    await undone();
    expect(await web.setUp()).toMatchObject({ done: 'set-up', changed: false });
    expect(await web.deploy('two')).toMatchObject({ outcome: 'deployed' });
    expect(await web.setUp({ remove: 'true' })).toMatchObject({ changed: true });
  }, 120_000);

  test('by a loss of power lets nobody in, and can be completed', async () => {
    await slowly();
    const stopped = new AbortController();
    const running = web.setUp({}, web.keys.admin, stopped.signal);
    await web.target.says('sh', '-c', begun);
    await web.target.powerCut();
    stopped.abort();
    expect(await running).toMatchObject({ done: 'failed' });
    await web.target.powerOn();
    await undone();
    expect((await web.ssh(web.keys.deploy, ['nix-ferry-gate', '1', 'describe'])).code).toBe(255);
    expect(await web.setUp()).toMatchObject({ done: 'set-up', changed: true });
    expect(await web.deploy('three')).toMatchObject({ outcome: 'deployed' });
  }, 180_000);
});

describe('the module takes over', () => {
  test('with the first system that has it, and nothing of the set-up is left', async () => {
    expect(await web.deploy('module')).toMatchObject({ outcome: 'deployed' });
    const places = [
      '/var/lib/nix-ferry-gate',
      '/run/ferry-gate.socket',
      '/etc/systemd/system.control/ferry-gate.socket',
    ];
    expect(await web.target.says('sh', '-c', `ls -d ${places.join(' ')} 2>/dev/null; :`)).toBe('');
    expect(await web.deploy('module-two')).toMatchObject({ outcome: 'deployed' });
    expect(await web.setUp()).toMatchObject({
      done: 'failed',
      message: expect.stringContaining('has services.nix-ferry.gate'),
    });
  }, 180_000);
});
