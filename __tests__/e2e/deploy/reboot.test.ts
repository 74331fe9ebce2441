import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recorder } from '../support/deploy-fixture.ts';
import { patience, Rebooting } from '../support/rebooting.ts';

// Reboots into systems that start, and into some that do not. Nothing but the deployment and the machine itself acts.

describe('systemd-boot', () => {
  let web: Rebooting;

  beforeAll(async () => {
    web = await Rebooting.start('systemd-boot');
  }, patience);
  afterAll(() => web?.target.stop());

  test(
    'without permission, a new kernel is reported as needing a reboot',
    async () => {
      const boot = await web.target.bootId();
      const outcome = await web.deploy('good');
      expect(outcome).toMatchObject({ outcome: 'needs-reboot', after: web.toplevel('good') });
      expect(outcome.message).toBe(
        'Runs and boots the new system. A reboot is needed: the machine was not booted with its kernel parameters.',
      );
      expect(await web.deploy('good')).toMatchObject({
        outcome: 'unchanged',
        message: expect.stringContaining('A reboot is needed: the machine was not booted with its kernel parameters.'),
      });
      expect(await web.deploy('old')).toMatchObject({ outcome: 'deployed', after: web.toplevel('old') });
      expect(await web.target.bootId()).toBe(boot);
    },
    patience,
  );

  test(
    'what needs no reboot gets none',
    async () => {
      const boot = await web.target.bootId();
      expect(await web.deploy('same', { reboot: 'if-needed' })).toMatchObject({ outcome: 'deployed' });
      expect(await web.target.bootId()).toBe(boot);
      await web.deploy('old');
    },
    patience,
  );

  test(
    'a system that never reaches the network: the machine is back on the old one',
    async () => {
      const [boot, before] = [await web.target.bootId(), await web.generations()];
      const recorded = recorder();
      const outcome = await web.deploy('lost', { reboot: 'if-needed', rebootTimeout: 30 }, recorded);
      expect(outcome).toMatchObject({ outcome: 'rolled-back', after: web.toplevel('old') });
      // What ssh said for the longest time: it may notice late that the machine went down.
      expect(outcome.message).toMatch(
        /^Not confirmed within 35 s: (ssh: .*: Connection timed out|the connection was lost)\. /,
      );
      expect(recorded.warnings).toEqual([expect.stringContaining('no kernel parameter `panic=`')]);
      expect(await web.truth()).toEqual(web.wholly('old'));
      expect(await web.target.bootId()).not.toBe(boot);
      expect(await web.generations()).toEqual(before);
      await web.expectClean();
    },
    patience,
  );

  test(
    'a system that panics before its init: the machine is back on the old one',
    async () => {
      const before = await web.generations();
      const recorded = recorder();
      const outcome = await web.deploy('panic', { reboot: 'if-needed' }, recorded);
      expect(outcome).toMatchObject({ outcome: 'rolled-back', after: web.toplevel('old') });
      expect(outcome.message).toContain(`The machine came up on ${web.toplevel('old')}, not on the new system`);
      expect(recorded.warnings).toEqual([]);
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
      const boot = await web.target.bootId();
      const outcome = await web.deploy('good', { reboot: 'if-needed' });
      expect(outcome).toMatchObject({
        outcome: 'deployed',
        before: web.toplevel('old'),
        after: web.toplevel('good'),
        message: 'Was rebooted. Runs and boots the new system.',
      });
      expect(await web.target.bootId()).not.toBe(boot);
      expect(await web.truth()).toEqual(web.wholly('good'));
      await web.expectClean();
      expect(JSON.parse(await web.target.says('cat', '/var/lib/nix-ferry/deployed.json'))).toMatchObject({
        toplevel: web.toplevel('good'),
        activated: true,
      });
    },
    patience,
  );

  test(
    'reboots when asked to, although nothing needs it',
    async () => {
      await web.deploy('old', { reboot: 'if-needed' });
      const boot = await web.target.bootId();
      expect(await web.deploy('same', { reboot: 'always' })).toMatchObject({ outcome: 'deployed' });
      expect(await web.target.bootId()).not.toBe(boot);
      expect(await web.truth()).toEqual(web.wholly('same'));
      await web.expectClean();
    },
    patience,
  );
});
