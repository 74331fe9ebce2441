import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { disasters, expectNothingLeft, expectSettled, expectWhole } from '../support/activation-disasters.ts';
import { Activations, type State } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';
import { leftNextTo, stageVersion, versions, versionsOn } from '../support/versioned-secrets.ts';

// The main ways through the script, with each /bin/sh that a machine may have. The systems' own tools are busybox's.
describe.each(['dash', 'bash', 'busybox'])('with %s as /bin/sh', shell => {
  let web: Target;
  let on: Activations;
  let before: State;

  afterEach(() => on.openGates());
  afterAll(() => web?.stop());

  test('the first switch', async () => {
    const key = await generateKey('deploy');
    const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: shell, deployKey: key })]);
    web = target;
    on = await Activations.start(web, nix, key);
    const path = shell === 'busybox' ? `${on.toplevel('one')}/sw/bin/busybox` : `/usr/bin/${shell}`;
    await web.says('sh', '-c', 'ln -sfn "$(readlink -f "$0")" /bin/sh', path);
    expect((await on.deploy('switch', 'one')).values).toMatchObject({ result: 'finished', why: '' });
    before = await on.state();
    expectWhole(on, before, 'one');
    const journal = await web.says('journalctl', '--no-pager', '-o', 'cat', '-u', 'nix-ferry-*');
    expect(journal).not.toMatch(/not found|syntax|bad|unexpected/i);
    await expectNothingLeft(on);
  }, 120_000);

  test('the supervisor and the switch run with this shell', async () => {
    const id = on.id();
    on.gate('two-activation', 'hold');
    const secretsBefore = await versionsOn(web);
    await stageVersion(on, id, 1);
    const running = on.run(id, 'switch', 'two', { confirm: '1', nonce: 'n', secrets: 'true' });
    await on.heldAt('two-activation');
    const pid = await web.says('cat', `/run/nix-ferry/${id}/pid`);
    expect(await web.says('readlink', '-f', `/proc/${pid}/exe`)).toMatch(new RegExp(`/${shell}$`));
    expect((await web.unit(`nix-ferry-${id}-switchback.service`)).ExecStart).toContain(`/${shell} `);
    on.openGates();
    expect((await running).values).toMatchObject({ result: 'went-back', why: 'not confirmed within 1 s' });
    await on.call('finish', id);
    expect(await on.state()).toEqual({ ...before, left: [] });
    expect(await versionsOn(web)).toEqual(secretsBefore);
  });

  test.each(['its process killed', 'its unit killed', 'its unit frozen'] as const)(
    '%s in the middle',
    async disaster => {
      await on.deploy('switch', 'one');
      before = await on.state();
      const id = on.id();
      on.gate('two-activation', 'hold');
      // Only a frozen unit is waited for; the way back has to fit into the same limits.
      const limits = disaster === 'its unit frozen' ? { 'activate-limit': '25', 'step-limit': '5' } : {};
      const running = on.run(id, 'switch', 'two', limits);
      await on.heldAt('two-activation');
      await disasters[disaster](on, id);
      on.openGates();
      const ending = { before, next: 'two', whole: 'one', armed: true, recorded: true, settle: false };
      await expectSettled(on, id, (await running).values, ending);
    },
    120_000,
  );

  test('checks, confirmation, boot loader that fails, dry run, awkward values', async () => {
    await on.deploy('switch', 'one');
    before = await on.state();
    on.gate('two-boot-after', 'fail');
    expect((await on.deploy('switch', 'two')).values).toMatchObject({ result: 'went-back', phase: 'commit' });
    on.openGates();
    expect((await on.deploy('dry-activate', 'two')).values.result).toBe('finished');
    const refused = await on.deploy('switch', 'two', {
      'check-1.command': 'exit 3',
      'check-1.description': 'a\\b "c"',
      'health-limit': '2',
    });
    expect(refused.values.why).toBe('the pre-deploy check "a\\b "c"" failed (exit code 3), for 2 s');
    expect(await on.state()).toEqual({ ...before, left: [] });
    const id = on.id();
    await stageVersion(on, id, 2);
    const running = on.run(id, 'switch', 'two', {
      secrets: 'true',
      confirm: '30',
      nonce: 'n',
      'health-1.command': 'true',
      who: 'a\\nb "c"\nd',
    });
    await on.inPhase(id, 'confirm');
    await on.call('confirm', id, 'n');
    expect((await running).values.result).toBe('finished');
    await on.call('finish', id);
    expect([await versionsOn(web), await leftNextTo(web)]).toEqual([versions(2), '']);
    const deployed = await web.says('cat', '/var/lib/nix-ferry/deployed.json');
    expect(JSON.parse(deployed)).toMatchObject({ by: 'a\\nb "c" d', toplevel: on.toplevel('two') });
  }, 120_000);
});
