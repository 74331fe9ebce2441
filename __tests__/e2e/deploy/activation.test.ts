import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

const read = (path: string): string => readFileSync(web.machine.path(path), 'utf8');
const sh = (script: string): Promise<string> => web.says('sh', '-c', script);

test('a machine that no NixOS has run on yet: probe, then the first switch', async () => {
  const { values } = await on.call('probe');
  expect(values).toMatchObject({ current: '', profile: '', boot: '', open: '', root: 'yes', end: 'probe' });
  expect(values.bootid).toMatch(/^[0-9a-f-]{36}\.\d+$/);
  const answers = await on.deploy('switch', 'one', {
    commit: 'c'.repeat(40),
    repository: 'acme/fleet',
    branch: 'main',
    committed: '2000',
  });
  expect(answers.values).toMatchObject({
    result: 'finished',
    phase: 'report',
    why: '',
    before: '',
    confirmed: 'off',
    activated: 'yes',
  });
  const state = await on.state();
  expectWhole(on, state, 'one');
  expect(state.generations).toEqual([[1, on.toplevel('one')]]);
  expect((await on.call('probe')).values).toMatchObject({
    current: on.toplevel('one'),
    boot: on.toplevel('one'),
    'deployed.toplevel': on.toplevel('one'),
    'deployed.committed': '2000',
    'deployed.repository': 'acme/fleet',
    'deployed.branch': 'main',
    'deployed.activated': 'true',
  });
});

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

  describe('confirming', () => {
    test('nothing is committed before it; a wrong nonce, another moment and an unknown run are refused', async () => {
      const id = on.id();
      on.gate('two-activation', 'hold');
      const running = on.run(id, 'switch', 'two', { confirm: '60', nonce: 'right' });
      await on.heldAt('two-activation');
      expect((await on.call('confirm', id, 'right')).values).toMatchObject({
        confirmed: 'no',
        why: expect.stringContaining('activate'),
      });
      on.openGates();
      await on.inPhase(id, 'confirm');
      expect(await on.state()).toMatchObject({
        current: on.toplevel('two'),
        profile: on.toplevel('one'),
        boot: on.toplevel('one'),
      });
      expect((await on.call('confirm', id, 'wrong')).values).toMatchObject({ confirmed: 'no', end: 'confirm' });
      expect((await on.call('confirm', 'none', 'right')).values).toMatchObject({ confirmed: 'no' });
      expect((await on.call('confirm', id, 'right')).values).toEqual({ confirmed: 'yes', end: 'confirm' });
      const { values, phases } = await running;
      expect(values).toMatchObject({ result: 'finished', confirmed: 'yes' });
      expect(phases).toContain('confirm');
      await on.call('finish', id);
      expectWhole(on, await on.state(), 'two');
    });

    test('not in time: the old system, whole, and a late one is refused', async () => {
      const id = on.id();
      const { values, log } = await on.run(id, 'switch', 'two', { confirm: '2', nonce: 'n' });
      expect(values).toMatchObject({ result: 'went-back', phase: 'confirm', confirmed: 'no', 'back-code': '0' });
      expect(log).toContain(`nix-ferry: going back to ${on.toplevel('one')}`);
      expect((await on.call('confirm', id, 'n')).values.confirmed).toBe('no');
      await on.call('finish', id);
      await expectOld();
    });

    test('the runner rejects it: the old system, and its reason', async () => {
      const id = on.id();
      const running = on.run(id, 'switch', 'two', { confirm: '60', nonce: 'n' });
      await on.inPhase(id, 'confirm');
      expect((await on.call('reject', id, 'GET / answered 500')).values.rejected).toBe('yes');
      expect((await running).values).toMatchObject({ result: 'went-back', why: 'rejected: GET / answered 500' });
      await on.call('finish', id);
      await expectOld();
    });
  });

  test('test activates and leaves profile and boot loader; boot the other way round', async () => {
    expect((await on.deploy('test', 'two')).values).toMatchObject({ result: 'finished', activated: 'yes' });
    expect(await on.state()).toMatchObject({
      ...before,
      current: on.toplevel('two'),
      worker: expect.stringContaining('=two'),
    });
    await on.deploy('switch', 'one');
    expect((await on.deploy('boot', 'two')).values).toMatchObject({
      result: 'finished',
      activated: 'no',
      verb: 'boot',
    });
    const { current, profile, boot, worker } = await on.state();
    expect({ current, profile, boot }).toEqual({
      current: on.toplevel('one'),
      profile: on.toplevel('two'),
      boot: on.toplevel('two'),
    });
    expect(worker).toBe(before.worker);
    expect((await on.call('probe')).values['deployed.activated']).toBe('false');
  });

  describe('what was expected', () => {
    test('another system than the run was planned against: refused', async () => {
      const { values } = await on.deploy('switch', 'two', { expect: on.toplevel('two') });
      expect(values).toMatchObject({
        result: 'refused',
        phase: 'expect',
        why: expect.stringContaining(`runs ${on.toplevel('one')}`),
      });
      await expectOld();
      expect((await on.deploy('switch', 'two', { expect: on.toplevel('one') })).values.result).toBe('finished');
    });

    test('an older commit of the same branch: refused, unless it is allowed', async () => {
      const source = { repository: 'acme/fleet', branch: 'main' };
      await on.deploy('switch', 'one', { ...source, commit: 'newer', committed: '2000' });
      const older = { ...source, commit: 'older', committed: '1000' };
      const { values } = await on.deploy('switch', 'two', older);
      expect(values).toMatchObject({ result: 'refused', phase: 'expect', why: expect.stringContaining('newer') });
      expect((await on.deploy('switch', 'two', { ...older, branch: 'other' })).values.result).toBe('finished');
      await on.deploy('switch', 'one', { ...source, committed: '2000' });
      expect((await on.deploy('switch', 'two', { ...older, 'allow-older': 'true' })).values.result).toBe('finished');
    });
  });

  describe('two at once', () => {
    test('the second waits, and reads what it starts from under the lock', async () => {
      on.gate('two-activation', 'hold');
      const [one, two] = [on.id(), on.id()];
      const first = on.run(one, 'switch', 'two', { who: 'run 1 by jo' });
      await on.heldAt('two-activation');
      const refused = await on.deploy('switch', 'one', { 'lock-wait': '1' });
      expect(refused.values).toMatchObject({ result: 'refused', phase: 'lock' });
      expect(refused.values.why).toMatch(/^another activation is in progress: run 1 by jo, since \d{4}-.*Z$/);
      const second = on.run(two, 'switch', 'one');
      await on.inPhase(two, 'lock');
      on.openGates();
      expect((await first).values.result).toBe('finished');
      const { values, log } = await second;
      expect(values).toMatchObject({
        result: 'finished',
        before: on.toplevel('two'),
        'profile-before': on.toplevel('two'),
      });
      expect(log[0]).toContain('waiting for another activation: run 1 by jo');
    });

    test('a dry run does not keep a switch waiting', async () => {
      on.gate('two-dry', 'hold');
      const dry = on.run(on.id(), 'dry-activate', 'two', { who: 'a pull request' });
      await on.heldAt('two-dry');
      const { values, log } = await on.deploy('switch', 'one');
      expect(values.result).toBe('finished');
      expect(log).toContain('nix-ferry: ending a dry run: a pull request');
      expect((await dry).values).toMatchObject({
        result: 'refused',
        why: expect.stringContaining('another run activates a system'),
      });
    });

    test('a dry run waits for a switch, changes nothing, and is bounded', async () => {
      on.gate('two-activation', 'hold');
      const switching = on.run(on.id(), 'switch', 'two');
      await on.heldAt('two-activation');
      const id = on.id();
      const dry = on.run(id, 'dry-activate', 'one');
      await on.inPhase(id, 'lock');
      on.openGates();
      expect((await switching).values.result).toBe('finished');
      const { values, log } = await dry;
      expect(values).toMatchObject({ result: 'finished', current: on.toplevel('two') });
      expect(log).toContain('would activate the configuration...');
      on.gate('one-dry', 'hold');
      expect((await on.deploy('dry-activate', 'one', { 'activate-limit': '2' })).values).toMatchObject({
        result: 'refused',
        code: 'timeout',
      });
    });

    test("somebody else holds switch-to-configuration's own lock: waited for, then refused", async () => {
      const hold =
        'exec flock /run/nixos/switch-to-configuration.lock sh -c ": >/run/gate/at-other; while [ -e /run/gate/other ]; do sleep 0.1; done"';
      on.gate('other', '');
      const holder = spawn('nsenter', web.machine.enter(['sh', '-c', hold]));
      await on.heldAt('other');
      expect((await on.deploy('switch', 'two', { 'step-limit': '3' })).values).toMatchObject({
        result: 'refused',
        code: '11',
      });
      const id = on.id();
      const running = on.run(id, 'switch', 'two', { 'step-limit': '20' });
      await on.inPhase(id, 'activate');
      on.openGates();
      expect((await running).values.result).toBe('finished');
      await on.call('finish', id);
      holder.kill();
    });
  });

  describe('exit code 100', () => {
    test('test: refused, and no record says that it runs', async () => {
      const deployed = read('/var/lib/nix-ferry/deployed.json');
      expect((await on.deploy('test', 'reinit')).values).toMatchObject({
        result: 'refused',
        code: '100',
        activated: 'no',
      });
      expect(read('/var/lib/nix-ferry/deployed.json')).toBe(deployed);
      await expectOld();
    });

    test('switch: committed for the next boot, and the record says that it does not run', async () => {
      const { values } = await on.deploy('switch', 'reinit');
      expect(values).toMatchObject({ result: 'finished', code: '100', activated: 'no', current: on.toplevel('one') });
      expect(await on.state()).toMatchObject({
        current: on.toplevel('one'),
        profile: on.toplevel('reinit'),
        boot: on.toplevel('reinit'),
      });
      expect(JSON.parse(read('/var/lib/nix-ferry/deployed.json'))).toMatchObject({
        toplevel: on.toplevel('reinit'),
        activated: false,
      });
    });
  });

  describe('records', () => {
    test('any value arrives as it is; deployed.json and each line of history are JSON', async () => {
      const who = 'a "quoted" \\ back\\\\slash, $(touch /tmp/x) `y`, ü';
      await on.deploy('switch', 'two', { who: `${who}\nand a line`, branch: "it's" });
      expect(JSON.parse(read('/var/lib/nix-ferry/deployed.json'))).toMatchObject({
        by: `${who} and a line`,
        branch: "it's",
      });
      const history = read('/var/lib/nix-ferry/history')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
      expect(history.at(-1)).toMatchObject({ by: `${who} and a line`, toplevel: on.toplevel('two') });
      expect(new Set(history.map(({ id }) => id)).size).toBe(history.length);
    });

    test('an empty open record is reported and kept', async () => {
      await sh(': >/var/lib/nix-ferry/activating.json');
      expect((await on.call('probe')).values.open).toBe('unreadable');
      expect((await on.deploy('switch', 'two')).values).toMatchObject({ result: 'finished', settled: 'unreadable' });
      expect(await sh('cat /var/lib/nix-ferry/damaged.json; rm /var/lib/nix-ferry/damaged.json')).toBe('');
    });

    test('what somebody else has switched to since is not taken back', async () => {
      const id = on.id();
      on.gate('disk', 'activate');
      const running = on.run(id, 'switch', 'two');
      await on.heldAt('disk');
      await sh(`systemctl stop nix-ferry-${id}-switchback.timer; systemctl kill --signal=KILL nix-ferry-${id}.service`);
      on.openGates();
      expect((await running).values.end).toBe('lost');
      const reinit = on.toplevel('reinit');
      await sh(
        `nix-env --profile /nix/var/nix/profiles/system --set ${reinit} && NIXOS_NO_CHECK=1 ${reinit}/bin/switch-to-configuration boot`,
      );
      expect((await on.call('settle')).values.settled).toBe('superseded');
      expect(await web.profile()).toBe(reinit);
      await on.call('finish', id);
    });
  });

  test('over SSH: watched, confirmed over a new connection as another user, and forgotten', async () => {
    const id = on.id();
    const running = on.callOverSsh(
      'run',
      id,
      ...Object.entries({
        mode: 'switch',
        toplevel: on.toplevel('two'),
        who: "it's me\n2",
        confirm: '60',
        nonce: 'n n',
      }).map(([name, value]) => `${name}=${value}`),
    );
    await on.inPhase(id, 'confirm');
    const second = on.callOverSsh('watch', id, '0');
    expect((await on.callOverSsh('confirm', id, 'n n')).values).toEqual({ confirmed: 'yes', end: 'confirm' });
    expect((await running).values).toMatchObject({ result: 'finished', confirmed: 'yes' });
    expect((await second).values).toMatchObject({ result: 'finished', end: 'status' });
    expect((await on.callOverSsh('finish', id)).values).toMatchObject({ end: 'finish', current: on.toplevel('two') });
  });

  test('arguments that are wrong: said, and nothing starts', async () => {
    const bad: Record<string, Record<string, string>> = {
      'is not a mode': { mode: 'swich' },
      'toplevel is not a store path': { toplevel: '/etc' },
      'confirm is not a number': { confirm: 'soon' },
      'is not a policy': { 'failed-units': 'maybe' },
    };
    for (const [why, spec] of Object.entries(bad)) {
      expect((await on.run(on.id(), 'switch', 'two', spec)).values).toMatchObject({
        end: 'invalid',
        why: expect.stringContaining(why),
      });
    }
    expect((await on.call('run', '../x')).values.end).toBe('invalid');
    expect((await on.call('nonsense')).values.end).toBe('invalid');
    expect((await on.run(on.id(), 'switch', '/nix/store/none')).values).toMatchObject({
      result: 'refused',
      phase: 'root',
    });
    await expectOld();
  });
});
