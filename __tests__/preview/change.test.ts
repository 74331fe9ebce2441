import { describe, expect, test } from '@jest/globals';
import type { BuiltSystem } from '../../src/preview/built-system.ts';
import { changeBetween, changeOf } from '../../src/preview/change.ts';
import type { EtcEntry, MachineDescription } from '../../src/preview/description.ts';
import { compareEtc } from '../../src/preview/etc.ts';
import { compareFirewalls, openPorts } from '../../src/preview/firewall.ts';
import { rebootReasons } from '../../src/preview/reboot.ts';

const store = (name: string, letter = 'a'): string => `/nix/store/${letter.repeat(32)}-${name}`;

function system(more: Partial<BuiltSystem> = {}): BuiltSystem {
  return {
    ...{ toplevel: store('system'), closure: [], parts: {}, files: {}, units: {}, wants: [], etc: {} },
    ...{ users: null, groups: null, firewall: null, fstab: '', restartsByActivation: false },
    ...more,
  };
}

function machine(more: Partial<MachineDescription> = {}): MachineDescription {
  return {
    ...{
      system: system(),
      booted: null,
      kernel: '6.12',
      bootId: 'x',
      profile: null,
      boot: null,
      states: {},
      shadowed: [],
    },
    ...{ secrets: [], fstab: '', pending: { start: [], restart: [], reload: [] } },
    ...more,
  };
}

describe('ports', () => {
  test.each([
    ['ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept ', ['tcp 22']],
    ['  ip46tables -A nixos-fw -p udp --dport 60000:61000 -j nixos-fw-accept -i eth0', ['udp 60000-61000 on eth0']],
    ['iptables -A nixos-fw -p tcp -s 192.0.2.0/24 --dport 22 -j nixos-fw-accept', []],
    ['ip46tables -A nixos-fw -p tcp --dport 23 -j nixos-fw-refuse', []],
    ['tcp dport { 22, 8000-8010 } accept', ['tcp 22', 'tcp 8000-8010']],
    ['iifname "eth0" udp dport { 53 } accept comment "dns"', ['udp 53 on eth0']],
    ['ip saddr 192.0.2.1 tcp dport 22 accept', []],
  ])('%s', (rule, ports) => {
    expect([...openPorts([rule])]).toEqual(ports);
  });

  test('a firewall is turned off', () => {
    expect(compareFirewalls(['tcp dport { 22 } accept'], null)).toEqual({
      opened: [],
      closed: ['tcp 22'],
      turned: 'off',
    });
  });
});

test('the changes of hosts that differ in their names alone are the same', () => {
  const of = (host: string) => {
    const toplevel = (letter: string): string => store(`nixos-system-${host}-24.11`, letter);
    const side = (letter: string) => {
      const closure = [toplevel(letter), store('etc', letter), store('tool-1.0', letter)];
      return system({ toplevel: toplevel(letter), closure: closure.map(path => ({ path, bytes: 1 })) });
    };
    return changeOf(machine({ system: side('a') }), side('b'));
  };
  expect(of('web').packages).toEqual(of('db').packages);
  expect(of('web').packages?.rebuilt.names).toEqual(['tool']);
});

test.each([
  ['{\n  "dbus": "broker",\n  "zfs": "2"\n}\n', '{\n  "dbus": "dbus"\n}\n', ['dbus broker → dbus']],
  ['{\n  "dbus": "broker"\n}\n', '{\n  "dbus": "broker",\n  "zfs": "2"\n}\n', []],
  ['{"dbus": ', '{"dbus": "dbus"}', []],
])('switch inhibitors %j → %j', (was, is, texts) => {
  const side = (text: string) => system({ files: { 'switch-inhibitors': text } });
  expect(rebootReasons(machine({ system: side(was) }), side(is)).map(({ text }) => text)).toEqual(texts);
});

describe('boot loader', () => {
  const paths = (...names: string[]) => names.map(name => ({ path: store(name), bytes: 1 }));

  test.each([
    [['install-grub.sh', 'grub-2.06'], ['install-grub.sh', 'grub-2.12'], 'boot loader GRUB 2.06 → 2.12'],
    [['install-grub.sh', 'grub-2.12'], ['install-systemd-boot.sh'], 'boot loader GRUB 2.12 → systemd-boot'],
    [['systemd-boot-builder.py'], ['limine-install.py', 'limine-9.0'], 'boot loader systemd-boot → Limine 9.0'],
    [['install-systemd-boot.sh', 'systemd-256'], ['install-systemd-boot.sh', 'systemd-257'], null],
    [['install-grub.sh', 'grub-2.12'], ['install-grub.sh', 'grub-2.12'], null],
    [['hello-1.0'], ['install-grub.sh', 'grub-2.12'], null],
  ])('%j → %j', (was, is, text) => {
    const reasons = rebootReasons(
      machine({ system: system({ closure: paths(...was) }) }),
      system({ closure: paths(...is) }),
    );
    expect(reasons).toEqual(text === null ? [] : [{ part: 'boot loader', text, pending: false }]);
  });

  test('of a closure that is not known, nothing is said', () => {
    const reasons = rebootReasons(
      machine({ system: system({ closure: null }) }),
      system({ closure: paths('install-grub.sh') }),
    );
    expect(reasons).toEqual([]);
  });
});

describe('reboot', () => {
  const kernel = (version: string, letter = 'a'): Record<string, string> => ({
    kernel: `${store(`linux-${version}`, letter)}/bzImage`,
  });
  const withKernel = (version: string, letter = 'a'): BuiltSystem => system({ parts: kernel(version, letter) });

  test('another kernel', () => {
    const from = machine({ system: withKernel('6.6'), booted: { parts: kernel('6.6'), files: {} } });
    expect(rebootReasons(from, withKernel('6.12'))).toEqual([
      { part: 'kernel', text: 'kernel 6.6 → 6.12', pending: false },
    ]);
    expect(rebootReasons(from, withKernel('6.6', 'b'))).toEqual([
      { part: 'kernel', text: 'kernel 6.6, rebuilt', pending: false },
    ]);
    expect(rebootReasons(from, withKernel('6.6'))).toEqual([]);
  });

  test.each([
    ['kernel-params', 'loglevel=4 quiet', 'loglevel=4 debug', 'kernel parameters', 'kernel parameters +debug -quiet'],
    ['init-interface-version', 'systemd 2', 'systemd 3', 'init interface', 'init interface systemd 2 → systemd 3'],
  ])('another %s', (file, was, is, part, text) => {
    const from = machine({ system: system({ files: { [file]: was } }), booted: { parts: {}, files: { [file]: was } } });
    expect(rebootReasons(from, system({ files: { [file]: is } }))).toEqual([{ part, text, pending: false }]);
    // Older systems do not have the file.
    expect(rebootReasons(from, system({ files: {} }))).toEqual([]);
  });

  test('the kernel that was booted counts, not that of the system', () => {
    const from = machine({ system: withKernel('6.12'), booted: { parts: kernel('6.6'), files: {} } });
    expect(rebootReasons(from, withKernel('6.12'))).toEqual([
      { part: 'kernel', text: 'kernel 6.6 → 6.12', pending: true },
    ]);
  });
});

describe('/etc', () => {
  const file = (text: string | null, hash = String(text), target = store('f')): EtcEntry => ({ text, hash, target });

  test.each([
    ['changed', file('a\nb\nc\nd\ne\n'), file('a\nb\nc\nd\nf\n'), { kind: 'changed', diff: '…\n c\n d\n-e\n+f\n' }],
    ['large', file(null, '1'), file(null, '2'), { kind: 'changed', diff: null }],
    ['with a password', file('a\n'), file('password=1\n'), { kind: 'changed', diff: null }],
    ['rebuilt', file(`${store('x')}/bin\n`), file(`${store('x', 'b')}/bin\n`), { kind: 'changed', rebuilt: true }],
  ])('a file %s', (_what, was, is, expected) => {
    expect(compareEtc({ f: was }, { f: is })).toEqual([expect.objectContaining({ name: 'f', ...expected })]);
  });

  test('the same text elsewhere in the store, units and modes say nothing', () => {
    const was = { f: file('a', 'a', store('f')), 'systemd/system': file(null, '1'), 'f.mode': file('0600') };
    const is = { f: file('a', 'a', store('f', 'b')), 'systemd/system': file(null, '2'), 'f.mode': file('0644') };
    expect(compareEtc(was, is)).toEqual([]);
  });

  test('very many lines take no time', () => {
    const lines = (char: string): string => `${char}\n`.repeat(4000);
    const [change] = compareEtc({ f: file(lines('a')) }, { f: file(lines('b')) });
    expect(change?.diff?.length).toBe(4000 * 3 * 2);
  });
});

describe('units', () => {
  const unit = (at: string): string => `[Service]\nExecStart=${at}\n`;
  const before = system({ units: { 'a.service': unit('/1'), 'm.target': '[Unit]\n' } });
  const after = system({
    units: {
      'a.service': unit('/2'),
      'm.target': '[Unit]\n',
      'new.service': `[Unit]\nWants=more.service\n${unit('/1')}`,
      'more.service': unit('/1'),
    },
    wants: ['m.target.wants/new.service'],
  });

  test('what an active target newly wants is started, with what that wants', () => {
    const states = { 'm.target': { active: 'active', sub: 'active' } };
    const { units } = changeOf(machine({ system: before, states }), after);
    expect(units).toMatchObject({ fresh: ['more.service', 'new.service'], start: [], stop: [], statesKnown: true });
  });

  test('without a machine, all units are taken to run', () => {
    const { units } = changeBetween(before, after);
    expect(units).toMatchObject({
      stop: ['a.service'],
      start: ['a.service'],
      fresh: ['more.service', 'new.service'],
      statesKnown: false,
    });
  });
});
