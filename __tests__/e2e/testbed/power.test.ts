import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Systems, switchTo } from '../support/systems.ts';
import { generateKey, startSystemdTarget, type Target, until } from '../support/target.ts';

// Machines that lose power and start again from their disks, according to the files of their boot loaders.

let systems: Systems;
let deployKey: Awaited<ReturnType<typeof generateKey>>;
const targets: Target[] = [];

const profile = '/nix/var/nix/profiles/system';

beforeAll(async () => {
  deployKey = await generateKey('deploy');
  systems = await Systems.start();
});
afterAll(() => Promise.all([systems.stop(), ...targets.map(target => target.stop())]));

async function start(name: string): Promise<Target> {
  const target = await startSystemdTarget({ name, deployKey });
  targets.push(target);
  return target;
}

/** A generation of the profile, and the boot loader's files. */
async function install(target: Target, toplevel: string): Promise<void> {
  await target.says('nix-env', '--profile', profile, '--set', toplevel);
  const { code, lines } = await switchTo(target, toplevel, 'boot');
  if (code !== 0) throw new Error(lines.join('\n'));
}

async function restart(target: Target): Promise<void> {
  await target.powerCut();
  await target.powerOn();
}

test('a machine without NixOS starts again with its files and its address', async () => {
  const target = await start('bare');
  const [address, boot] = [target.address, await target.bootId()];
  await target.says(
    'sh',
    '-c',
    'echo kept > /var/lib/kept; rm /etc/motd; echo gone > /run/gone; echo gone > /tmp/gone',
  );
  await restart(target);
  expect(target.address).toBe(address);
  expect(await target.bootId()).not.toBe(boot);
  expect(await target.says('cat', '/var/lib/kept')).toBe('kept');
  expect(await target.says('sh', '-c', 'ls /run/gone /tmp/gone /etc/motd 2>/dev/null; :')).toBe('');
  expect(await target.currentSystem()).toBeNull();
  expect(await target.unit('ssh.service')).toMatchObject({ ActiveState: 'active' });
});

describe.each([
  {
    loader: 'systemd-boot',
    once: (generation: number) => ['bootctl', 'set-oneshot', `nixos-generation-${generation}.conf`],
  },
  // The submenu has the newest generation first.
  { loader: 'grub', once: (generation: number) => ['grub-reboot', `1>${2 - generation}`] },
  { loader: 'generic-extlinux-compatible', once: undefined },
])('$loader', ({ loader, once }) => {
  let target: Target;
  let toplevels: Record<'one' | 'two', string>;

  beforeAll(async () => {
    target = await start(loader.slice(0, 4));
    toplevels = await systems.give(target, 'boot.nix', ['one', 'two'], loader);
    await install(target, toplevels.one);
    await restart(target);
  });

  test('starts the default, whose units run', async () => {
    expect(await target.currentSystem()).toBe(toplevels.one);
    expect(await target.says('readlink', '/run/booted-system')).toBe(toplevels.one);
    expect(await target.unit('worker.service')).toMatchObject({ ActiveState: 'active' });
  });

  test('a system that was only tested is gone after a power cut', async () => {
    expect(await switchTo(target, toplevels.two, 'test')).toMatchObject({ code: 0 });
    expect(await target.currentSystem()).toBe(toplevels.two);
    await restart(target);
    expect(await target.currentSystem()).toBe(toplevels.one);
    expect(await target.says('cat', '/etc/label')).toBe('one');
  });

  test('starts the new default', async () => {
    await install(target, toplevels.two);
    await restart(target);
    expect(await target.currentSystem()).toBe(toplevels.two);
    expect(await target.says('cat', '/etc/label')).toBe('two');
  });

  if (once !== undefined) {
    test('starts another entry once, then the default again', async () => {
      const [command = '', ...args] = once(1);
      await target.says(`/run/current-system/sw/bin/${command}`, ...args);
      await restart(target);
      expect(await target.currentSystem()).toBe(toplevels.one);
      await restart(target);
      expect(await target.currentSystem()).toBe(toplevels.two);
    });
  }

  test('reboots by itself', async () => {
    const boot = await target.bootId();
    await target.machine.run(['systemctl', 'reboot'], { allow: [0, 1, 255] }).catch(() => {});
    await until(async () => {
      if ((await target.bootId()) === boot) throw new Error('still in the same boot');
    }, 'reboot');
    await until(() => target.machine.run(['systemctl', 'is-active', 'ssh.service']), 'sshd');
    expect(await target.currentSystem()).toBe(toplevels.two);
  });

  test('a default whose system is missing does not boot, and the firmware says so', async () => {
    await target.says('sh', '-c', `rm -f "$(readlink -f "$1")"/init; rm "$1"/init; :`, 'sh', toplevels.two);
    await target.powerCut();
    await expect(target.powerOn()).rejects.toThrow(/kernel panic: .*\/init is not there/);
  });
});
