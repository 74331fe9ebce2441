import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { expectNothingLeft, expectWhole } from '../support/activation-disasters.ts';
import { Activations, type State } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';

let web: Target;
let on: Activations;

beforeAll(async () => {
  const key = await generateKey('deploy');
  const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  web = target;
  on = await Activations.start(web, nix, key);
}, 120_000);
afterAll(() => web?.stop());

const sh = (script: string): Promise<string> => web.says('sh', '-c', script);

describe('a machine on the first system', () => {
  let before: State;
  beforeEach(async () => {
    expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
    before = await on.state();
    expectWhole(on, before, 'one');
  });
  afterEach(async () => {
    on.openGates();
    await on.forgetAll();
    await expectNothingLeft(on);
  });

  const expectOld = async (): Promise<void> => {
    await on.forgetAll();
    expect(await on.state()).toEqual(before);
  };

  describe('going back', () => {
    test('a failed activation, with the old system refusing to be switched to', async () => {
      on.gate('two-activation', 'fail');
      on.gate('one-check', 'fail');
      const { values } = await on.deploy('switch', 'two');
      expect(values).toMatchObject({ result: 'went-back', why: 'the activation script failed', code: '2' });
      await expectOld();
    });

    test('a failed activation and a failed unit: not hidden by exit code 4', async () => {
      on.gate('two-activation', 'fail');
      on.gate('two-start', 'fail');
      expect((await on.deploy('switch', 'two')).values).toMatchObject({
        result: 'went-back',
        why: 'the activation script failed',
      });
      await expectOld();
    });

    test('an activation that hangs is ended first', async () => {
      on.gate('two-activation', 'hold');
      const { values } = await on.deploy('switch', 'two', { 'activate-limit': '3' });
      expect(values).toMatchObject({ result: 'went-back', code: 'timeout' });
      await expectOld();
    });

    test('a child that is killed, as for want of memory, does not end the supervisor', async () => {
      const id = on.id();
      on.gate('two-activation', 'hold');
      const running = on.run(id, 'switch', 'two');
      await on.heldAt('two-activation');
      expect(await web.unit(`nix-ferry-${id}.service`)).toMatchObject({
        OOMPolicy: 'continue',
        OOMScoreAdjust: '-900',
      });
      await sh(`kill -KILL "$(cat /run/nix-ferry/${id}/child)"`);
      expect((await running).values).toMatchObject({ result: 'went-back', code: '137' });
      await on.call('finish', id);
      await expectOld();
    });

    test('a unit that ran before and has failed meanwhile runs again', async () => {
      await sh(
        'printf "[Service]\\nExecStart=/bin/sleep infinity\\n" >/etc/systemd/system/side.service; systemctl daemon-reload; systemctl start side',
      );
      on.gate('two-activation', 'hold');
      const id = on.id();
      const running = on.run(id, 'switch', 'two');
      await on.heldAt('two-activation');
      await sh('systemctl kill --signal=KILL side.service; sleep 0.5');
      expect((await web.unit('side.service')).ActiveState).toBe('failed');
      on.gate('two-activation', 'fail');
      expect((await running).values).toMatchObject({ result: 'went-back', 'missing-units': '', 'failed-units': '' });
      expect((await web.unit('side.service')).ActiveState).toBe('active');
      await on.call('finish', id);
      await sh('systemctl stop side; rm /etc/systemd/system/side.service; systemctl daemon-reload');
      await expectOld();
    });

    test.each([['boot-before'], ['boot-after']])(
      'a boot loader that fails (%s): profile, generation and menu are back',
      async step => {
        on.gate(`two-${step}`, 'fail');
        expect((await on.deploy('switch', 'two')).values).toMatchObject({
          result: 'went-back',
          phase: 'commit',
          verb: 'boot',
          code: '1',
        });
        await expectOld();
        expect((await on.deploy('boot', 'two')).values).toMatchObject({ result: 'went-back', phase: 'commit' });
        await expectOld();
      },
    );

    test('neither boot loader can be installed: stuck, with what is true', async () => {
      on.gate('two-boot-after', 'fail');
      on.gate('one-boot-before', 'fail');
      const { values } = await on.deploy('switch', 'two');
      expect(values).toMatchObject({
        result: 'stuck',
        current: on.toplevel('one'),
        profile: on.toplevel('one'),
        boot: on.toplevel('two'),
      });
      expect(values.why).toContain(`the boot loader starts ${on.toplevel('two')}`);
    });

    test('the old activation script fails too: stuck', async () => {
      on.gate('two-activation', 'fail');
      on.gate('one-activation', 'fail');
      expect((await on.deploy('switch', 'two')).values).toMatchObject({ result: 'stuck', 'back-code': '2' });
      expect((await on.deploy('switch', 'two')).values.result).toBe('stuck');
    });
  });

  describe('units that fail', () => {
    test('degrade: committed, with the names of those that did not fail before', async () => {
      on.gate('two-start', 'fail');
      const { values } = await on.deploy('switch', 'two');
      expect(values).toMatchObject({
        result: 'finished',
        code: '4',
        'failed-units': 'worker.service',
        profile: on.toplevel('two'),
      });
    });

    test('rollback: the old system', async () => {
      on.gate('two-start', 'fail');
      const { values } = await on.deploy('switch', 'two', { 'failed-units': 'rollback' });
      expect(values).toMatchObject({ result: 'went-back', phase: 'verify', why: 'units failed: worker.service' });
      await expectOld();
    });
  });

  describe('checks', () => {
    test('a pre-deploy check that fails: refused, nothing changed', async () => {
      const { values, log } = await on.deploy('switch', 'two', {
        'check-1.command': 'true',
        'check-2.command': 'echo "no backup\n  tonight"; exit 3',
        'check-2.description': 'backup',
        'health-limit': '2',
      });
      expect(values).toMatchObject({
        result: 'refused',
        phase: 'check',
        why: 'the pre-deploy check "backup" failed (exit code 3), for 2 s',
      });
      expect(log).toContain('no backup');
      await expectOld();
    });

    test('a health check that passes only later, and one that never does', async () => {
      const flaps = {
        'health-1.command': 'test -e /run/gate/up || { : >/run/gate/up; exit 1; }',
        'health-2.command': 'test "$(umask)" = 0022',
      };
      expect((await on.deploy('switch', 'two', flaps)).values.result).toBe('finished');
      await on.deploy('switch', 'one');
      before = await on.state();
      const never = { 'health-1.command': 'sleep 60', 'health-1.timeout': '1', 'health-limit': '3' };
      const { values } = await on.deploy('switch', 'two', never);
      expect(values).toMatchObject({
        result: 'went-back',
        phase: 'verify',
        why: expect.stringContaining('"sleep 60" did not end in time'),
      });
      await expectOld();
    });
  });

  describe('a full disk', () => {
    const full = (path: string): Promise<string> =>
      sh(
        `mkdir -p /tmp/kept && cp -a ${path}/. /tmp/kept/ && mount -t tmpfs -o size=2m tmpfs ${path} && cp -a /tmp/kept/. ${path}/ && rm -r /tmp/kept; :`,
      );
    const fill = (path: string): Promise<string> => sh(`cat /dev/zero >${path}/fill 2>/dev/null; :`);
    const free = (path: string): Promise<string> => sh(`umount ${path}`);

    test.each(['before', 'activate', 'confirm'])('of the records, %s: the old system', async when => {
      const path = '/var/lib/nix-ferry';
      await full(path);
      try {
        if (when === 'before') await fill(path);
        const id = on.id();
        if (when === 'activate') on.gate('two-activation', 'hold');
        const running = on.run(id, 'switch', 'two', { confirm: when === 'confirm' ? '30' : '0', nonce: 'n' });
        if (when === 'activate') {
          await on.heldAt('two-activation');
          await fill(path);
          on.openGates();
        } else if (when === 'confirm') {
          await on.inPhase(id, 'confirm');
          await fill(path);
          await on.call('confirm', id, 'n');
        }
        const { values } = await running;
        expect(values).toMatchObject({
          result: when === 'before' ? 'refused' : 'went-back',
          why: expect.stringContaining('could not be'),
        });
        await on.call('finish', id);
        await sh(`rm ${path}/fill`);
        await expectOld();
        expect((await on.deploy('switch', 'two')).values.result).toBe('finished');
      } finally {
        await free(path);
      }
    });

    test('of the records, at the end: the new system, and the next run completes the record', async () => {
      const path = '/var/lib/nix-ferry';
      await full(path);
      try {
        on.gate('two-boot-after', 'hold');
        const running = on.run(on.id(), 'switch', 'two');
        await on.heldAt('two-boot-after');
        await fill(path);
        on.openGates();
        expect((await running).values).toMatchObject({
          result: 'finished',
          profile: on.toplevel('two'),
          boot: on.toplevel('two'),
        });
        await sh(`rm ${path}/fill`);
        expect((await on.deploy('switch', 'one')).values).toMatchObject({ result: 'finished', settled: 'finished' });
      } finally {
        await free(path);
      }
    });

    test('of /boot: the old system, also the one that boots', async () => {
      await full('/boot');
      try {
        await fill('/boot');
        expect((await on.deploy('switch', 'two')).values).toMatchObject({
          result: 'went-back',
          phase: 'commit',
          boot: on.toplevel('one'),
        });
        await expectOld();
        await sh('rm /boot/fill');
        expect((await on.deploy('switch', 'two')).values.result).toBe('finished');
      } finally {
        await free('/boot');
      }
    });
  });
});
