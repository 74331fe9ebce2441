import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SwitchCase, switchCases } from '../support/switch-cases.ts';
import { Systems, switchTo } from '../support/systems.ts';
import { generateKey, startAarch64Target, startSystemdTarget, type Target, until } from '../support/target.ts';

// All other tests use the miniature's switch-to-configuration instead of NixOS's: here it is compared with what the real one
// printed and did.

const labels = [...new Set(switchCases.flatMap(({ from, to }) => [from ?? 'one', to]))];

let systems: Systems;
const targets: Target[] = [];

beforeAll(async () => {
  systems = await Systems.start();
});
afterAll(() => Promise.all([systems.stop(), ...targets.map(target => target.stop())]));

describe('with systemd', () => {
  let target: Target;
  let toplevels: Record<string, string>;

  beforeAll(async () => {
    target = await startSystemdTarget({ name: 'web', deployKey: await generateKey('deploy') });
    targets.push(target);
    toplevels = await systems.give(target, 'generations.nix', [
      ...labels,
      'slow',
      'older',
      'olderSlow',
      'perlRestarting',
    ]);
    // The machine's own units would stay.
    await target.says('rm', '/etc/fstab');
    await succeed('one');
  });

  /** The exit code and the printed lines. */
  async function call(
    label: string,
    verb: string,
    env: SwitchCase['env'] = {},
  ): Promise<{ code: number; lines: string[] }> {
    const { code, lines } = await switchTo(target, toplevels[label] ?? '', verb, env);
    const failed = lines.findIndex(line => line.startsWith('warning: the following units failed'));
    return {
      code,
      lines: lines
        .map(line => line.replace(toplevels[label] ?? '', 'NEW'))
        .filter((line, index) => failed === -1 || index <= failed || /^[×●] [^ ]+$/.test(line.replace(/ - .*/, ''))),
    };
  }

  // What is known to run, whole.
  let running: string | undefined;
  async function succeed(label: string): Promise<void> {
    const { code, lines } = await call(label, 'test', { NIXOS_NO_CHECK: '1' });
    if (code !== 0) throw new Error(`${label}: exit code ${code}\n${lines.join('\n')}`);
  }

  test.each(switchCases)('$what: $verb $to, exit code $code', async row => {
    const from = row.from ?? 'one';
    if (running !== from) {
      await target.says('sh', '-c', 'touch /etc/NIXOS; rm -f /run/nixos/*-list; [ -L /etc/fstab ] || rm -f /etc/fstab');
      await succeed(from);
    }
    // A row that changes nothing leaves the machine to the next one.
    running = row.prepare === undefined && !row.lines.includes('activating the configuration...') ? from : undefined;
    if (row.prepare !== undefined) await target.says('sh', '-c', row.prepare);
    expect(await call(row.to, row.verb, row.env)).toEqual({ code: row.code, lines: row.lines });
    expect(await target.currentSystem()).toBe(toplevels[row.runs === 'to' ? row.to : from]);
  });

  test('another verb is an error that names the verbs', async () => {
    const { code, lines } = await call('one', 'swich');
    expect([code, lines[0]]).toEqual([1, 'Usage: switch-to-configuration [check|switch|boot|test|dry-activate]']);
  });

  describe('its lock', () => {
    const lock = '/run/nixos/switch-to-configuration.lock';
    const hold = async (seconds: string): Promise<void> => {
      await target.says('rm', '-f', '/run/held');
      void target.machine.run(['flock', lock, 'sh', '-c', `echo > /run/held; sleep ${seconds}`]);
      await target.says('sh', '-c', 'until [ -e /run/held ]; do sleep 0.02; done');
    };

    test('exits with 11 if another process holds it, for dry-activate too', async () => {
      await hold('3');
      expect(await call('one', 'dry-activate')).toEqual({ code: 11, lines: ['Could not acquire lock'] });
      expect(await call('one', 'test')).toEqual({ code: 11, lines: ['Could not acquire lock'] });
    });

    test('the program of 2024 waits for it', async () => {
      await hold('1.5');
      expect((await call('older', 'test')).code).toBe(0);
    });
  });

  test('the program in Perl does not count a unit that waits for its next start', async () => {
    const { code, lines } = await call('perlRestarting', 'test');
    expect([code, lines.at(-1)]).toEqual([0, 'starting the following units: worker.service']);
  });

  describe('when D-Bus dies while units stop', () => {
    // The units are stopped in the order of their names; slowstop.service is the one that takes long.
    const killWhen = (unit: string, state: string): string =>
      `until [ "$(systemctl show --property=ActiveState --value ${unit})" = ${state} ]; do sleep 0.05; done; kill -9 "$(systemctl show --property=MainPID --value dbus.service)"`;
    const revive = async (): Promise<void> => {
      await target.machine.run(['systemctl', 'restart', 'dbus.socket', 'dbus.service', 'systemd-logind.service']);
      await until(() => target.machine.run(['busctl', 'status']), 'D-Bus');
      await target.says('systemctl', 'reset-failed');
    };

    test('exits with 1, with units stopped and the old system active', async () => {
      await call('slow', 'test');
      const killed = target.says('sh', '-c', killWhen('worker.service', 'inactive'));
      expect(await call('two', 'test')).toEqual({
        code: 1,
        lines: [
          'stopping the following units: gone.service, mnt-gone.mount, slowstop.service, tmpl@a.service, worker.service',
          'Error: Failed to process dbus messages while waiting for jobs',
          '',
          'Caused by:',
          '    Failed to read/write data, disconnected from D-Bus?',
        ],
      });
      await killed;
      await revive();
      expect(await target.currentSystem()).toBe(toplevels.slow);
      expect(await target.unit('worker.service')).toMatchObject({ ActiveState: 'inactive' });
    });

    test('the program of 2024 waits forever and keeps its lock', async () => {
      expect((await call('slow', 'test')).code).toBe(0);
      const killed = target.says('sh', '-c', killWhen('slowstop.service', 'deactivating'));
      const script = `${toplevels.older}/bin/switch-to-configuration`;
      await target.says('systemd-run', '--unit=hangs', script, 'test');
      await killed;
      await revive();
      expect(await target.unit('hangs.service')).toMatchObject({ ActiveState: 'active' });
      expect(await call('one', 'test')).toEqual({ code: 11, lines: ['Could not acquire lock'] });
      await target.says('systemctl', 'stop', 'hangs.service');
      expect((await call('one', 'test')).code).toBe(0);
    });
  });

  test('exits with 4 if a user without a bus cannot be activated', async () => {
    await call('one', 'test');
    const manager = ['env', 'XDG_RUNTIME_DIR=/run/user/1000', 'systemctl', '--user'];
    await target.machine.run([...manager, 'stop', 'dbus.socket', 'dbus.service'], { user: 'deploy' });
    await target.says('rm', '-f', '/run/user/1000/bus');
    const { code, lines } = await call('one', 'test');
    expect(code).toBe(4);
    expect(lines).toEqual(
      expect.arrayContaining(['Error: Failed to open dbus connection', 'warning: user activation for deploy failed']),
    );
  });

  test("the machine's own SSH server and files in /etc are not changed", async () => {
    expect(await target.unit('ssh.service')).toMatchObject({ ActiveState: 'active' });
    expect(await target.says('cat', '/etc/hostname')).toBe('web');
  });
});

test('without systemd, on aarch64: everything but the units is activated', async () => {
  const target = await startAarch64Target({ name: 'pi', deployKey: await generateKey('deploy') });
  targets.push(target);
  const { one } = await systems.give(target, 'generations.nix', ['one']);
  const { code, lines } = await switchTo(target, one, 'test');
  expect([code, lines[0]]).toEqual([0, expect.stringContaining('systemd does not run here')]);
  expect(await target.currentSystem()).toBe(one);
  expect(await target.says('/run/current-system/sw/bin/uname', '-m')).toBe('aarch64');
  expect(await target.says('readlink', '/etc/systemd/system/worker.service')).toBe(
    '/etc/static/systemd/system/worker.service',
  );
});
