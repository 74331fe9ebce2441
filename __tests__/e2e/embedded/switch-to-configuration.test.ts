import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { embeddedFleet } from '../support/embedded.ts';
import { Runner } from '../support/runner.ts';
import { generateKey, startAarch64Target, startSystemdTarget, type Target } from '../support/target.ts';

// All other tests use the miniature's switch-to-configuration instead of NixOS's. These tests prove that it behaves the same.

const labels = ['first', 'changed', 'failing', 'activation', 'refused', 'reboot', 'bootless'] as const;
type Label = (typeof labels)[number];

let runner: Runner;
const targets: Target[] = [];

beforeAll(async () => {
  const readOnly = {
    [await embeddedFleet()]: '/mnt/fleet',
    [join(import.meta.dirname, '../support/fixtures/miniature')]: '/mnt/miniature',
  };
  runner = await Runner.start({ nix: '2.26', emulates: true, readOnly });
});
afterAll(() => Promise.all([runner.stop(), ...targets.map(target => target.stop())]));

/** Builds generations and copies them to the target's store. */
async function give(target: Target, wanted: readonly Label[]): Promise<Record<Label, string>> {
  const env = { NIX_CONFIG: 'extra-platforms = aarch64-linux\nsubstituters =' };
  const { stdout } = await runner.run(
    [
      ...[
        'nix-build',
        '--no-out-link',
        '-j',
        'auto',
        '/mnt/miniature/generations.nix',
        '--arg',
        'nixpkgs',
        '/mnt/fleet/nixpkgs',
      ],
      ...['--argstr', 'system', target.system, ...wanted.flatMap(label => ['-A', label])],
    ],
    { env },
  );
  const paths = stdout.trim().split('\n');
  const pack = 'nix-store --export $(nix-store -qR "$@") > /tmp/closure';
  await runner.run(['sh', '-c', pack, 'sh', ...paths], { env });
  await mkdir(target.machine.path('/var/tmp'), { recursive: true });
  await copyFile(runner.machine.path('/tmp/closure'), target.machine.path('/var/tmp/closure'));
  await target.says('sh', '-c', 'nix-store --import < /var/tmp/closure');
  return Object.fromEntries(wanted.map((label, index) => [label, paths[index] ?? ''])) as Record<Label, string>;
}

describe('with systemd', () => {
  let target: Target;
  let toplevels: Record<Label, string>;

  beforeAll(async () => {
    target = await startSystemdTarget({ name: 'web', deployKey: await generateKey('deploy') });
    targets.push(target);
    toplevels = await give(target, labels);
  });

  /** Its exit code and the lines it prints, without those of systemctl. */
  async function call(label: Label, verb: string, env: Record<string, string> = {}): Promise<[number, string[]]> {
    const { code, stderr } = await target.machine.run([`${toplevels[label]}/bin/switch-to-configuration`, verb], {
      allow: [0, 1, 2, 3, 4, 11, 100],
      env,
    });
    const own =
      /^(would|stopping|NOT|activating|setting|reloading|restarting|starting|the following|warning:|Warning:|Pre-switch|Failed|Could|Activation)/;
    return [code, stderr.split('\n').filter(line => own.test(line))];
  }
  const activating = ['activating the configuration...', 'setting up /etc...'];
  const main = async (unit: string): Promise<string> => (await target.unit(unit)).MainPID ?? '';

  test('first: new units are started, etc is in place, sshd stays', async () => {
    expect(await call('first', 'dry-activate')).toEqual([0, ['would activate the configuration...']]);
    expect(await target.currentSystem()).toBeNull();
    const started = 'app.service, firewall.service, proxy.service, quick.service, session.service';
    expect(await call('first', 'switch')).toEqual([
      0,
      [...activating, `the following new units were started: ${started}`],
    ]);
    expect(await target.currentSystem()).toBe(toplevels.first);
    expect(await target.says('cat', '/etc/app.conf', '/run/firewall')).toBe('onetcp 80\nudp');
    expect(await target.unit('ssh.service')).toMatchObject({ ActiveState: 'active' });
    expect(await target.says('cat', '/boot/loader/loader.conf')).toContain(toplevels.first);
  });

  test('the same again: nothing', async () => {
    expect(await call('first', 'switch')).toEqual([0, activating]);
  });

  test('a change: each unit as its options ask', async () => {
    const [app, session, proxy] = [
      await main('app.service'),
      await main('session.service'),
      await main('proxy.service'),
    ];
    expect(await call('changed', 'dry-activate')).toEqual([
      0,
      [
        'would stop the following units: app.service',
        'would NOT stop the following changed units: session.service',
        'would activate the configuration...',
        'would reload the following units: firewall.service, proxy.service',
        'would restart the following units: quick.service',
        'would start the following units: app.service',
      ],
    ]);
    expect(await main('app.service')).toBe(app);
    expect(await call('changed', 'test')).toEqual([
      0,
      [
        'stopping the following units: app.service',
        'NOT restarting the following changed units: session.service',
        ...activating,
        'reloading the following units: firewall.service, proxy.service',
        'restarting the following units: quick.service',
        'starting the following units: app.service',
        'the following new units were started: extra.service',
      ],
    ]);
    expect(await main('app.service')).not.toBe(app);
    expect(await main('session.service')).toBe(session);
    expect(await main('proxy.service')).toBe(proxy);
    expect(await target.says('cat', '/etc/app.conf', '/run/firewall', '/run/proxy')).toBe(
      'twotcp 80 443\nudp \nreloaded',
    );
    // `test` does not change the boot loader.
    expect(await target.says('cat', '/boot/loader/loader.conf')).toContain(toplevels.first);
  });

  test('back: what is gone is stopped and its files are removed', async () => {
    const [code, lines] = await call('first', 'switch');
    expect(code).toBe(0);
    expect(lines).toContain('stopping the following units: app.service, extra.service');
    expect(await target.unit('extra.service')).toMatchObject({ ActiveState: 'inactive' });
    await target.machine.run(['test', '-e', '/etc/systemd/system/extra.service'], { allow: [1] });
  });

  test('boot: the boot loader alone', async () => {
    expect(await call('changed', 'boot')).toEqual([0, []]);
    expect(await target.says('cat', '/boot/loader/loader.conf')).toContain(toplevels.changed);
    expect(await target.currentSystem()).toBe(toplevels.first);
    await call('first', 'boot');
  });

  test('4: a unit fails, the switch did happen', async () => {
    const [code, lines] = await call('failing', 'switch');
    expect([code, lines.at(-1)]).toEqual([4, 'warning: the following units failed: broken.service']);
    expect(await target.currentSystem()).toBe(toplevels.failing);
  });

  test('2: the activation script fails, the rest is done', async () => {
    const [code, lines] = await call('activation', 'test');
    expect(code).toBe(2);
    expect(lines).toContain("Activation script snippet 'bad' failed (7)");
    expect(await target.unit('broken.service')).toMatchObject({ LoadState: 'not-found' });
    await call('first', 'switch');
  });

  test('1: the pre-switch check refuses, nothing is changed; dry-activate and NIXOS_NO_CHECK do not ask it', async () => {
    expect(await call('refused', 'switch')).toEqual([
      1,
      ["Pre-switch check 'never' failed", 'Pre-switch checks failed'],
    ]);
    expect(await target.currentSystem()).toBe(toplevels.first);
    expect(await target.says('cat', '/boot/loader/loader.conf')).toContain(toplevels.first);
    expect((await call('refused', 'check'))[0]).toBe(1);
    expect((await call('refused', 'dry-activate'))[0]).toBe(0);
    expect((await call('refused', 'test', { NIXOS_NO_CHECK: '1' }))[0]).toBe(0);
    await call('first', 'test');
  });

  test('1: the boot loader fails, nothing is activated', async () => {
    expect(await call('bootless', 'switch')).toEqual([1, ['Failed to install bootloader']]);
    expect(await target.currentSystem()).toBe(toplevels.first);
  });

  test('100: another init asks for a reboot, nothing is activated', async () => {
    const [code, lines] = await call('reboot', 'switch');
    expect([code, lines[0]]).toEqual([100, 'Warning: the new NixOS configuration has an ‘init’ that is']);
    expect(await target.currentSystem()).toBe(toplevels.first);
  });

  test('EAGAIN: another one holds the lock', async () => {
    const lock = '/run/nixos/switch-to-configuration.lock';
    const held = target.machine.run([
      'flock',
      lock,
      'sh',
      '-c',
      'echo > /run/held; until [ -e /run/release ]; do sleep 0.02; done',
    ]);
    await target.says('sh', '-c', 'until [ -e /run/held ]; do sleep 0.02; done');
    expect(await call('first', 'test')).toEqual([11, ['Could not acquire lock']]);
    await target.says('touch', '/run/release');
    await held;
    expect((await call('first', 'test'))[0]).toBe(0);
  });

  test('1: another verb', async () => {
    expect((await call('first', 'swich'))[0]).toBe(1);
  });
});

test('without systemd, on aarch64: its own programs do all but the units', async () => {
  const target = await startAarch64Target({ name: 'pi', deployKey: await generateKey('deploy') });
  targets.push(target);
  const { first } = await give(target, ['first']);
  const { code, stderr } = await target.machine.run([`${first}/bin/switch-to-configuration`, 'switch']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('systemd does not run here')]);
  expect(await target.currentSystem()).toBe(first);
  expect(await target.says('/run/current-system/sw/bin/uname', '-m')).toBe('aarch64');
  expect(await target.says('readlink', '/etc/systemd/system/app.service')).toBe(
    '/etc/static/systemd/system/app.service',
  );
});
