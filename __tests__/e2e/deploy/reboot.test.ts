import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recorder } from '../support/deploy-fixture.ts';
import { patience, Rebooting } from '../support/rebooting.ts';
import { until } from '../support/target.ts';

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
      expect(outcome.message).toMatch(/^Not confirmed within 35 s/);
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

  test(
    'killed after the reboot, it still goes back',
    async () => {
      const [boot, id, before] = [await web.target.bootId(), web.on.id(), await web.truth()];
      const spec = { reboot: 'always', 'reboot-limit': '60', confirm: '60', nonce: id };
      await web.on.launch(id, 'switch', web.toplevel('good'), spec);
      const rebooted = async (from: string): Promise<string> => {
        const now = await web.target.bootId();
        if (now === from) throw new Error('still in the same boot');
        return now;
      };
      const next = await until(() => rebooted(boot), 'the reboot');
      await until(() => web.on.inPhase(id, 'confirm'), 'the run goes on');
      expect(await web.truth()).toMatchObject({ running: web.toplevel('good'), boot: before.boot });
      await web.target.says('systemctl', 'kill', '--signal=KILL', `nix-ferry-${id}.service`);
      await until(() => rebooted(next), 'the reboot back');
      const { values } = await until(async () => {
        const answers = await web.on.call('resume', id, '0');
        if (answers.values.end !== 'status') throw new Error(`no status: ${answers.values.end}`);
        return answers;
      }, 'the status');
      expect(values).toMatchObject({ result: 'went-back', phase: 'confirm', current: before.running });
      expect(values.why).toContain('the supervisor was killed in phase confirm');
      await web.on.call('finish', id);
      expect(await web.truth()).toEqual(before);
      await web.expectClean();
    },
    patience,
  );
});
