import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recorder } from '../support/deploy-fixture.ts';
import { patience, Rebooting } from '../support/rebooting.ts';

// Reboots with the boot loaders other than systemd-boot.

describe('GRUB', () => {
  let web: Rebooting;

  beforeAll(async () => {
    web = await Rebooting.start('grub');
  }, patience);
  afterAll(() => web?.target.stop());

  test(
    'a system that panics before its init: the machine is back on the old one',
    async () => {
      const before = await web.generations();
      expect(await web.deploy('panic', { reboot: 'if-needed' })).toMatchObject({
        outcome: 'rolled-back',
        after: web.toplevel('old'),
      });
      expect(web.target.machine.console()).toContain('the kernel reboots');
      expect(await web.truth()).toEqual(web.wholly('old'));
      expect(await web.generations()).toEqual(before);
      await web.expectClean();
    },
    patience,
  );

  test(
    'a system that starts is confirmed and then becomes the default',
    async () => {
      expect(await web.deploy('good', { reboot: 'if-needed' })).toMatchObject({ outcome: 'deployed' });
      expect(await web.truth()).toEqual(web.wholly('good'));
      await web.expectClean();
    },
    patience,
  );

  test(
    'a reboot that an earlier deployment has left to do',
    async () => {
      expect(await web.deploy('old')).toMatchObject({ outcome: 'needs-reboot' });
      expect(await web.deploy('old', { reboot: 'if-needed' })).toMatchObject({
        outcome: 'deployed',
        message: 'Was rebooted. Runs and boots the new system.',
      });
      expect(await web.truth()).toEqual(web.wholly('old'));
      await web.expectClean();
    },
    patience,
  );

  test(
    'where no unit can be put, the runner lets the activation continue',
    async () => {
      await web.target.says('sh', '-c', 'rm -rf /etc/systemd/system.control && : > /etc/systemd/system.control');
      const recorded = recorder();
      expect(await web.deploy('good', { reboot: 'if-needed' }, recorded)).toMatchObject({ outcome: 'deployed' });
      expect(recorded.warnings).toContainEqual(
        expect.stringContaining('/etc/systemd/system.control cannot be written'),
      );
      expect(await web.truth()).toEqual(web.wholly('good'));
      await web.target.says('rm', '/etc/systemd/system.control');
      await web.expectClean();
    },
    patience,
  );
});

describe('extlinux, which cannot start an entry once', () => {
  let web: Rebooting;

  beforeAll(async () => {
    web = await Rebooting.start('generic-extlinux-compatible');
  }, patience);
  afterAll(() => web?.target.stop());

  test(
    'warns before it reboots, and the new system runs',
    async () => {
      const recorded = recorder();
      expect(await web.deploy('good', { reboot: 'if-needed' }, recorded)).toMatchObject({ outcome: 'deployed' });
      expect(recorded.warnings).toEqual([expect.stringContaining('the boot loader cannot start an entry once')]);
      expect(await web.truth()).toEqual(web.wholly('good'));
      await web.expectClean();
    },
    patience,
  );

  test(
    'a system that starts and never reaches the network goes back all the same',
    async () => {
      const outcome = await web.deploy('lost', { reboot: 'always', rebootTimeout: 30 });
      expect(outcome).toMatchObject({ outcome: 'rolled-back', after: web.toplevel('good') });
      expect(await web.truth()).toEqual(web.wholly('good'));
      await web.expectClean();
    },
    patience,
  );
});
