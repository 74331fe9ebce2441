import { expect, test } from '@jest/globals';
import { noUnits, otherChanges, readUnits } from '../../src/deploy/units.ts';

test('what dry-activate would do', () => {
  const log = [
    'would stop the following units: old.service, old.socket',
    'would NOT stop the following changed units: display-manager.service',
    'would activate the configuration...',
    'would reload the following units: dbus.service',
    'would restart the following units: a.service, b.service',
    'would start the following units: new@1.service',
  ];
  expect(readUnits(log)).toEqual({
    stop: ['old.service', 'old.socket'],
    reload: ['dbus.service'],
    kept: ['display-manager.service'],
    restart: ['a.service', 'b.service'],
    start: ['new@1.service'],
    failed: [],
  });
});

test('what a switch does, each unit once', () => {
  const log = [
    'stopping the following units: a.service',
    'NOT restarting the following changed units: getty@tty1.service',
    'activating the configuration...',
    'setting up /etc...',
    'reloading the following units: firewall.service',
    'restarting the following units: b.service',
    'starting the following units: a.service',
    'the following new units were started: c.service, a.service',
    'warning: the following units failed: d.service',
    'd.service - the following units: x.service',
  ];
  expect(readUnits(log)).toEqual({
    stop: ['a.service'],
    reload: ['firewall.service'],
    kept: ['getty@tty1.service'],
    restart: ['b.service'],
    start: ['a.service', 'c.service'],
    failed: ['d.service'],
  });
});

test('a log without units', () => {
  expect(readUnits(['activating the configuration...', ''])).toEqual(noUnits());
});

test('units of users, and those that are only named when they fail', () => {
  const log = [
    'stopping the following user units: part.service',
    'restarting the following user units: nixos-activation.service',
    'Failed to reload proxy.service',
    'Failed to start user unit part.service',
    'Failed to run activate script',
    'restarting sysinit-reactivation.target',
    'the following new units were started: sysinit-reactivation.target, systemd-tmpfiles-resetup.service, a.service',
  ];
  expect(readUnits(log)).toEqual({
    ...noUnits(),
    ...{ stop: ['part.service'], start: ['a.service'], failed: ['proxy.service', 'part.service'] },
  });
});

test('what else would change', () => {
  const log = [
    'would stop the following units: a.service',
    'would stop swap device: /swapfile',
    'would activate the configuration...',
    'would remove user ‘eve’',
  ];
  expect(otherChanges(log)).toEqual(['would stop swap device: /swapfile', 'would remove user ‘eve’']);
});
