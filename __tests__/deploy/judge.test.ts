import { describe, expect, test } from '@jest/globals';
import { type Evidence, judge, judgeLost } from '../../src/deploy/judge.ts';
import type { Mode, OutcomeKind } from '../../src/deploy/outcome.ts';
import { replyReader } from '../../src/deploy/reply.ts';
import type { Status } from '../../src/deploy/status.ts';
import { switchCases } from '../e2e/support/switch-cases.ts';

const old = '/nix/store/aaaa-nixos-1';
const toplevel = '/nix/store/bbbb-nixos-2';
const onOld = { current: old, profile: old, boot: old };
const onNew = { current: toplevel, profile: toplevel, boot: toplevel };

const good: Status = {
  ...{ result: 'finished', phase: 'report', why: '', verb: 'test', code: 0, backCode: null },
  ...{ activated: true, confirmed: 'yes', before: onOld, now: onNew, rebooted: false },
  ...{ failedUnits: [], missingUnits: [], needsReboot: [], secrets: { changed: [], volatile: [] }, settled: null },
};
const refused: Partial<Status> = { result: 'refused', activated: false, now: onOld, phase: 'activate' };
const wentBack: Partial<Status> = { result: 'went-back', activated: false, now: onOld, phase: 'activate', backCode: 0 };

const judged = (status: Partial<Status>, more: Partial<Evidence> = {}) =>
  judge({
    ...{ status: { ...good, ...status }, log: [], toplevel, mode: 'switch', failedUnits: 'degrade', obstacle: null },
    ...more,
  });

describe('an outcome follows from what was read back', () => {
  test.each<[string, Partial<Status>, Mode, OutcomeKind, RegExp]>([
    ['all is new', {}, 'switch', 'deployed', /^Runs and boots the new system\.$/],
    ['a boot loader that cannot be read', { now: { ...onNew, boot: null } }, 'switch', 'deployed', /Runs and boots/],
    [
      'boot leaves what runs',
      { activated: false, verb: 'boot', now: { ...onNew, current: old } },
      'boot',
      'deployed',
      /next boot/,
    ],
    ['test leaves the profile', { now: { ...onOld, current: toplevel } }, 'test', 'deployed', /until the next boot/],
    ['another system runs', { now: { ...onNew, current: old } }, 'switch', 'failed', /it runs \/nix\/store\/aaaa/],
    [
      'the profile is another',
      { now: { ...onNew, profile: old } },
      'switch',
      'failed',
      /its profile points to \/nix\/store\/aaaa/,
    ],
    [
      'the boot loader starts another',
      { now: { ...onNew, boot: old } },
      'switch',
      'failed',
      /its boot loader starts \/nix\/store\/aaaa/,
    ],
    [
      'refused, but something changed',
      { ...refused, now: { ...onOld, current: toplevel } },
      'switch',
      'failed',
      /refused, but this is not what is true: it runs \/nix\/store\/bbbb/,
    ],
    [
      'refused before the machine was looked at',
      { ...refused, phase: 'lock', why: 'rejected: x', before: { current: null, profile: null, boot: null } },
      'switch',
      'refused',
      /^Rejected: x\. Nothing was changed\.$/,
    ],
    [
      'gone back, but the profile did not',
      { ...wentBack, now: { ...onOld, profile: toplevel } },
      'switch',
      'failed',
      /taken back, but this is not what is true.*profile points to \/nix\/store\/bbbb/,
    ],
    [
      'stuck',
      {
        ...{ result: 'stuck', phase: 'commit', now: { ...onOld, profile: toplevel } },
        why: 'the boot loader was installed, and starts X; going back: the profile is system-2-link',
      },
      'switch',
      'failed',
      /could not go back wholly: the profile is system-2-link\. Now it runs \/nix\/store\/aaaa.*points to \/nix\/store\/bbbb/,
    ],
    [
      'restarted on the way',
      { ...wentBack, phase: 'commit', rebooted: true, now: { ...onOld, boot: null } },
      'switch',
      'rolled-back',
      /restarted in between; it runs/,
    ],
  ])('%s', (_, status, mode, outcome, message) => {
    expect(judged(status, { mode })).toEqual({ outcome, message: expect.stringMatching(message) });
  });
});

/** The lines that the real program prints for a case, from its transcripts. */
function printed(to: string, verb: string): readonly string[] {
  const found = switchCases.find(each => each.to === to && each.verb === verb);
  if (found === undefined) throw new Error(`no case ${to} ${verb}`);
  return found.lines;
}

describe('the reason comes from what was printed, not from the exit code', () => {
  const ended = (code: number, verb = 'test') => `switch-to-configuration ${verb} ended with exit code ${code}`;
  test.each<[string, Partial<Status>, readonly string[], OutcomeKind, string]>([
    [
      'a snippet fails',
      { ...wentBack, code: 2, why: 'the activation script failed' },
      printed('failingActivation', 'test'),
      'rolled-back',
      `The activation script failed: Activation script snippet 'zbroken' failed (1). The target is back on ${old}.`,
    ],
    [
      'a snippet exits, which ends the script',
      { ...wentBack, code: 2, why: 'the activation script failed' },
      printed('aborted', 'test'),
      'rolled-back',
      `The activation script failed: this snippet gives up. The target is back on ${old}.`,
    ],
    [
      'a snippet and a unit fail: 4',
      { ...wentBack, code: 4, why: 'the activation script failed' },
      printed('failingBoth', 'test'),
      'rolled-back',
      `The activation script failed: Activation script snippet 'zbroken' failed (1). The target is back on ${old}.`,
    ],
    [
      'a pre-switch check refuses',
      { ...refused, code: 1, why: ended(1) },
      printed('refused', 'test'),
      'refused',
      "The pre-switch check 'never' failed: this system does not want to run here. Nothing was changed.",
    ],
    [
      'a pre-switch check refuses boot',
      {
        ...wentBack,
        verb: 'boot',
        phase: 'commit',
        code: 1,
        why: `the boot loader could not be installed: ${ended(1)}`,
      },
      printed('refused', 'boot'),
      'rolled-back',
      `The pre-switch check 'never' failed: this system does not want to run here. The target is back on ${old}.`,
    ],
    [
      'a switch inhibitor',
      { ...refused, code: 1, why: ended(1) },
      printed('inhibited', 'test'),
      'refused',
      'Critical components change, which needs a reboot (mode `boot`): dbus-implementation : dbus -> broker. Nothing was changed.',
    ],
    [
      'a unit file cannot be parsed',
      { ...refused, code: 1, why: ended(1) },
      printed('badUnit', 'test'),
      'refused',
      'Switch-to-configuration failed: Failed to parse systemd unit file NEW/etc/systemd/system/tmpl@.service: Failed parse unit file as INI: ' +
        `3:1 expecting "[Some(']')]" but found EOF. Nothing was changed.`,
    ],
    [
      'a reload-list that names a unit that is gone, after the activation',
      { ...wentBack, code: 1, why: ended(1) },
      switchCases.find(({ what }) => what.startsWith('a reload-list'))?.lines ?? [],
      'rolled-back',
      `Switch-to-configuration failed: Failed to get unit ghost.service: Unit ghost.service not loaded. The target is back on ${old}.`,
    ],
    [
      'an error of its own that does not say whose it is',
      { ...refused, code: 1, why: ended(1) },
      ['Error: No such file or directory (os error 2)'],
      'refused',
      'Switch-to-configuration failed: No such file or directory (os error 2). Nothing was changed.',
    ],
    [
      'D-Bus dies while units stop',
      { ...wentBack, code: 1, why: ended(1) },
      [
        'stopping the following units: worker.service',
        'Error: Failed to process dbus messages',
        '',
        'Caused by:',
        '    Connection was disconnected before a reply was received',
      ],
      'rolled-back',
      'Switch-to-configuration failed: Failed to process dbus messages: Connection was disconnected before a reply was received. ' +
        `The target is back on ${old}.`,
    ],
    [
      'not NixOS: 2',
      { ...refused, code: 2, why: ended(2) },
      ['This is not a NixOS installation!'],
      'refused',
      'The target is not a NixOS machine: it has no /etc/NIXOS. Nothing was changed.',
    ],
    [
      'not NixOS, as the program in Perl says it: 255',
      { ...refused, code: 255, why: ended(255) },
      printed('perl', 'test'),
      'refused',
      'The target is not a NixOS machine: it has no /etc/NIXOS. Nothing was changed.',
    ],
    [
      'its lock is held',
      { ...refused, code: 11, why: ended(11) },
      ['Could not acquire lock'],
      'refused',
      'Another switch-to-configuration is running on the target. Nothing was changed.',
    ],
    [
      'the boot loader',
      { ...wentBack, phase: 'commit', verb: 'boot', code: 1, why: 'the boot loader could not be installed' },
      [...printed('two', 'test'), ...printed('failingBootLoader', 'boot')],
      'rolled-back',
      `The boot loader could not be installed: no space left on /boot. The target is back on ${old}.`,
    ],
    [
      'the boot loader, as the program of 2024 says it: 17',
      { ...wentBack, phase: 'commit', verb: 'boot', code: 17, why: 'the boot loader could not be installed' },
      printed('olderBootLoader', 'boot'),
      'rolled-back',
      `The boot loader could not be installed: no space left on /boot. The target is back on ${old}.`,
    ],
    [
      'nothing that is known: its last words',
      { ...wentBack, code: 3, why: ended(3) },
      ['activating the configuration...', 'Failed to reload systemd', 'restarting sysinit-reactivation.target'],
      'rolled-back',
      `Switch-to-configuration test ended with exit code 3: Failed to reload systemd. The target is back on ${old}.`,
    ],
    [
      'it did not end',
      { ...wentBack, code: 'timeout', why: 'switch-to-configuration test did not end within 900 s' },
      ['activating the configuration...', 'a line that may have nothing to do with it'],
      'rolled-back',
      `Switch-to-configuration test did not end within 900 s. The target is back on ${old}.`,
    ],
    [
      'our own lock',
      { ...refused, phase: 'lock', code: null, why: 'another activation is in progress: a/b run 2, since 10:00' },
      [],
      'refused',
      'Another activation is in progress: a/b run 2, since 10:00. Run again when it has ended. Nothing was changed.',
    ],
  ])('%s', (_, status, log, outcome, message) => {
    expect(judged(status, { log })).toEqual({ outcome, message });
  });

  test('the words of the way back, and of an earlier activation, explain nothing', () => {
    const log = [
      'nix-ferry: settling x-1 (switch of /nix/store/zzzz), which was cut in phase activate',
      "Activation script snippet 'earlier' failed (1)",
      'nix-ferry: settled x-1: taken-back',
      ...printed('failingActivation', 'test'),
      `nix-ferry: going back to ${old}`,
      "Activation script snippet 'back' failed (1)",
    ];
    const settled = { how: 'taken-back', toplevel: '/nix/store/zzzz', phase: 'activate' };
    const { message } = judged({ ...wentBack, code: 2, why: 'the activation script failed', settled }, { log });
    expect(message).toBe(
      `The activation script failed: Activation script snippet 'zbroken' failed (1). The target is back on ${old}. ` +
        'An earlier activation, of /nix/store/zzzz, was cut in its phase `activate`. It was taken back first.',
    );
  });
});

describe('units that fail', () => {
  test.each<[string, Partial<Status>, readonly string[], string]>([
    ['a new one', { code: 4, failedUnits: ['broken.service'] }, printed('failingUnit', 'test'), 'broken.service'],
    ['one that waits for its next start', { code: 4 }, printed('restarting', 'test'), 'worker.service'],
    ['a reload', { code: 4 }, printed('reloadFails', 'test'), 'proxy.service'],
    [
      'what a unit requires',
      { code: 4, missingUnits: ['worker.service'] },
      printed('dependency', 'test'),
      'worker.service, needed.service',
    ],
    ['after exit code 0', { failedUnits: ['late.service'] }, printed('two', 'test'), 'late.service'],
  ])('%s', (_, status, log, units) => {
    expect(judged(status, { log })).toEqual({
      outcome: 'degraded',
      message: `The system was switched, but these units failed: ${units}.`,
    });
  });

  test('a unit that is down without being named', () => {
    expect(judged({ code: 4, missingUnits: ['worker.service'] }).message).toBe(
      'The system was switched, but these units do not run any more: worker.service.',
    );
  });

  test("a user's", () => {
    expect(judged({ code: 4 }, { log: printed('userFails', 'test') }).message).toBe(
      'The system was switched, but these units failed: upart.service; the user units of deploy could not be switched.',
    );
  });

  test("only a user's bus was gone", () => {
    expect(judged({ code: 4 }, { log: ['warning: user activation for root failed'] })).toEqual({
      outcome: 'degraded',
      message: 'The system was switched, but the user units of root could not be switched.',
    });
  });

  test('are ignored, if that is wanted', () => {
    const log = printed('failingUnit', 'test');
    expect(judged({ code: 4 }, { log, failedUnits: 'ignore' })).toEqual({
      outcome: 'deployed',
      message: 'Runs and boots the new system. Ignored: these units failed: broken.service.',
    });
  });
});

test('a dry run that another run ended: what it had printed is not the reason', () => {
  const status = { ...refused, code: null, why: 'ended, because another run activates a system: run 8' };
  const log = ['would stop the following units: a.service', 'would activate the configuration...'];
  expect(judged(status, { log, mode: 'dry-activate' })).toEqual({
    outcome: 'refused',
    message: 'Ended, because another run activates a system: run 8. Nothing was changed.',
  });
});

describe('another init interface', () => {
  const lines = printed('otherInit', 'test');
  test('switch: the next boot starts it', () => {
    const status = { code: 100, activated: false, now: { ...onNew, current: old } };
    expect(judged(status, { log: lines })).toMatchObject({ outcome: 'needs-reboot' });
  });

  test('test: refused', () => {
    const status = { ...refused, code: 100, why: 'the new system needs a reboot' };
    expect(judged(status, { log: lines, mode: 'test' })).toEqual({
      outcome: 'refused',
      message: 'The new system needs a reboot: its init interface is another one. Nothing was changed.',
    });
  });

  test('boot does not mean that by the same exit code', () => {
    const why = 'the boot loader could not be installed: switch-to-configuration boot ended with exit code 100';
    const { message } = judged({ ...wentBack, phase: 'commit', verb: 'boot', code: 100, why });
    expect(message).toBe(
      `The boot loader could not be installed: switch-to-configuration boot ended with exit code 100. The target is back on ${old}.`,
    );
  });

  test('a dry run: a plan, not a failure', () => {
    const status = { code: 100, activated: false, now: onOld };
    expect(judged(status, { log: lines, mode: 'dry-activate' })).toEqual({
      outcome: 'planned',
      message:
        'This is what would change. A reboot would be needed: its init interface is another one. Nothing was changed.',
    });
  });
});

describe('a reboot', () => {
  const sentence = 'A reboot is needed: the machine was not booted with its kernel, kernel parameters.';
  const needsReboot = ['kernel', 'kernel-params'] as const;

  test('that is needed and not allowed', () => {
    expect(judged({ needsReboot: [...needsReboot] })).toEqual({
      outcome: 'needs-reboot',
      message: `Runs and boots the new system. ${sentence}`,
    });
  });

  test('that is needed by a system with failed units', () => {
    const status = { needsReboot: [...needsReboot], failedUnits: ['broken.service'] };
    expect(judged(status)).toEqual({
      outcome: 'degraded',
      message: `The system was switched, but these units failed: broken.service. ${sentence}`,
    });
  });

  test('is what mode boot waits for', () => {
    const status = { needsReboot: [...needsReboot], activated: false, now: { ...onNew, current: old } };
    expect(judged(status, { mode: 'boot' })).toMatchObject({ outcome: 'deployed' });
  });

  test('that a dry run foresees', () => {
    expect(judged({ needsReboot: ['systemd'], now: onOld }, { mode: 'dry-activate' }).message).toContain(
      'A reboot would be needed: the machine was not booted with its systemd.',
    );
  });

  test.each(['switch', 'boot'] as const)('that was made, with mode %s', mode => {
    expect(judged({ rebooted: true }, { mode })).toEqual({
      outcome: 'deployed',
      message: 'Was rebooted. Runs and boots the new system.',
    });
  });

  test('that was taken back', () => {
    const status = { ...wentBack, phase: 'confirm', why: 'not confirmed within 90 s', rebooted: true };
    expect(judged(status)).toMatchObject({
      outcome: 'rolled-back',
      message: expect.stringContaining(`The target was restarted in between; it runs and boots ${old}`),
    });
  });

  test('that ended on another system says which', () => {
    const other = '/nix/store/z-other';
    const why = `the machine came up on ${other}, not on the new system`;
    const status = { ...wentBack, phase: 'reboot', why, rebooted: true, now: { ...onOld, current: other } };
    expect(judged(status).message).toContain(`The target was restarted in between; it runs ${other}`);
  });
});

test('a target that was not confirmed says what kept the runner out', () => {
  const status = { ...wentBack, phase: 'confirm', why: 'not confirmed within 30 s', confirmed: 'no' as const };
  expect(judged(status, { obstacle: 'root@192.0.2.7: Permission denied (publickey).' })).toEqual({
    outcome: 'rolled-back',
    message: `Not confirmed within 30 s: root@192.0.2.7: Permission denied (publickey). The target is back on ${old}.`,
  });
});

test('what Perl says of the locale does not hide why the boot loader could not be installed', () => {
  const log = [
    'perl: warning: Setting locale failed.',
    'perl: warning: Please check that your locale settings:',
    '\tLANGUAGE = (unset),',
    '\tLC_ALL = (unset),',
    '\tLANG = "en_US.UTF-8"',
    '    are supported and installed on your system.',
    'perl: warning: Falling back to the standard locale ("C").',
    'No space left on device: /boot',
    'Failed to install bootloader',
  ];
  const status: Partial<Status> = { ...wentBack, phase: 'commit', verb: 'boot', code: 1, why: 'x' };
  expect(judged(status, { log }).message).toBe(
    `The boot loader could not be installed: No space left on device: /boot. The target is back on ${old}.`,
  );
});

test('a way back that failed: why it began, why it failed and what is true, each once', () => {
  const unlisted = 'Unable to list users with logind: Did not receive a reply.';
  const back = 'switch-to-configuration of the old system ended with 11';
  const status: Partial<Status> = {
    ...{ result: 'stuck', phase: 'activate', activated: false, now: onOld, verb: 'test', code: 11, backCode: 11 },
    why: `switch-to-configuration test ended with exit code 11; going back: ${back}`,
  };
  const there = ['stopping the following units: hello.service', 'setting up /etc...', unlisted];
  const log = [...there, `nix-ferry: going back to ${old}`, 'setting up /etc...', unlisted];
  expect(judged(status, { log })).toEqual({
    outcome: 'failed',
    message:
      'Switch-to-configuration failed: Unable to list users with logind: Did not receive a reply. ' +
      `The target could not go back wholly: ${back} (Unable to list users with logind: Did not receive a reply). ` +
      `Now it runs and boots ${old}.`,
  });
});

test('a target that was rejected says why once', () => {
  const status = { ...wentBack, phase: 'confirm', why: 'rejected: the health check "x" failed' };
  expect(judged(status, { obstacle: 'the health check "x" failed' }).message).toBe(
    `Rejected: the health check "x" failed. The target is back on ${old}.`,
  );
});

test.each<[string, string[], OutcomeKind, RegExp]>([
  [
    'taken back',
    ['settled=taken-back', `current=${old}`, `profile=${old}`, 'boot=', 'end=settle'],
    'rolled-back',
    /It was taken back\. Now it runs \/nix\/store\/aaaa/,
  ],
  [
    'taken back, and all is as before: the path is said once',
    ['settled=taken-back', `current=${old}`, `profile=${old}`, `boot=${old}`, 'end=settle'],
    'rolled-back',
    /It was taken back\. Now it runs and boots \/nix\/store\/aaaa-nixos-1\.$/,
  ],
  [
    'finished',
    ['settled=finished', `current=${toplevel}`, `profile=${toplevel}`, `boot=${toplevel}`, 'end=settle'],
    'deployed',
    /Runs and boots/,
  ],
  [
    'said to be finished, and is not',
    ['settled=finished', `current=${old}`, `profile=${toplevel}`, 'boot=', 'end=settle'],
    'failed',
    /Now it runs \/nix\/store\/aaaa/,
  ],
  [
    'not taken back',
    ['settled=failed', `current=${toplevel}`, `profile=${old}`, 'boot=', 'end=settle'],
    'failed',
    /it runs \/nix\/store\/bbbb/,
  ],
  ['somebody else works on it', ['why=another activation is in progress: x', 'end=busy'], 'failed', /in progress: x/],
])('an activation without a status: %s', (_, lines, outcome, message) => {
  const { reply, read } = replyReader();
  lines.forEach(read);
  const result = judgeLost({ reply, toplevel, mode: 'switch' });
  expect(result).toEqual({ outcome, message: expect.stringMatching(message) });
});

test('an activation without a status, of a target that does not answer', () => {
  expect(judgeLost({ reply: null, toplevel, mode: 'switch' })).toMatchObject({ outcome: 'failed' });
});
