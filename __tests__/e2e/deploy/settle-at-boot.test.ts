import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Nix } from '../../../src/nix/index.ts';
import { expectNextRun, expectNothingLeft, expectWhole } from '../support/activation-disasters.ts';
import { Activations } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from '../support/target.ts';

// A machine that loses power in the middle of a phase, where profile and boot loader differ: with the module of
// target/module.nix it settles that when it starts; without it, the next run does.

let nix: Nix;
let key: Key;
let web: Target;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
}, 120_000);
afterAll(() => web?.stop());

const record = '/var/lib/nix-ferry/activating.json';
const isOpen = (): boolean => existsSync(web.machine.path(record));

/** Where the power is cut, and the system that the machine is whole on then. */
const moments = {
  'the activation script runs': { gate: 'two-activation', ends: 'one' },
  'the profile is set, the boot loader not': { gate: 'two-boot-before', ends: 'one' },
  'the boot loader is written': { gate: 'two-boot-after', ends: 'two' },
} as const;
type Moment = keyof typeof moments;

/** Switches from `one` to `two`, and cuts the power at a gate. */
async function cut(on: Activations, gate: string) {
  const answers = await on.deploy('switch', 'one');
  expect(answers.values.result).toBe('finished');
  const before = await on.state();
  expectWhole(on, before, 'one');
  on.gate(gate, 'hold');
  const id = on.id();
  const running = on.run(id, 'switch', 'two').catch(() => undefined);
  await on.heldAt(gate);
  expect(isOpen()).toBe(true);
  await on.powerCycle();
  await running;
  return before;
}

describe('with the module', () => {
  let on: Activations;
  beforeAll(async () => {
    on = await Activations.start(web, nix, key, 'settle-systems.nix');
  }, 120_000);
  afterEach(() => on.openGates());

  test.each(Object.keys(moments) as Moment[])(
    'a power cut while %s is settled at the start',
    async moment => {
      const { gate, ends } = moments[moment];
      const before = await cut(on, gate);
      await until(async () => expect(isOpen()).toBe(false), 'the settling');
      await expectNothingLeft(on);
      const after = await on.state();
      expectWhole(on, after, ends);
      if (ends === 'one') expect(after).toEqual({ ...before, worker: after.worker });
      const journal = await web.says('journalctl', '--boot', '-o', 'cat', '-u', 'nix-ferry-settle.service');
      expect(journal).toContain(`settled=${ends === 'one' ? 'taken-back' : 'finished'}`);
      const deployed = JSON.parse(readFileSync(web.machine.path('/var/lib/nix-ferry/deployed.json'), 'utf8'));
      expect(deployed.toplevel).toBe(on.toplevel(ends));
      const { values } = await expectNextRun(on, after, ends === 'one' ? 'two' : 'one', 'none');
      expect(values.settled).toBe('');
    },
    240_000,
  );

  test('secrets that were being replaced without an activation are taken back', async () => {
    expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
    const script = `
      mkdir -p /var/lib/keys && cd /var/lib/keys && printf old >cut && ln cut .nix-ferry-gone-1.before && printf new >new && mv new cut
      printf 'gone\\nchange 1 /var/lib/keys/cut\\naction 1 touch /var/lib/keys/.acted\\n' >/var/lib/nix-ferry/activating.secrets; sync`;
    await web.says('sh', '-c', script);
    await on.powerCycle();
    const look = (): Promise<string> => web.says('sh', '-c', 'cd /var/lib/keys && cat cut && ls -A');
    await until(async () => expect(await look()).toBe('old.acted\ncut'), 'the settling');
    await expectNothingLeft(on);
  }, 120_000);

  test('a start without an open record, and a switch, do not run it', async () => {
    await on.powerCycle();
    const runs = async () => (await web.unit('nix-ferry-settle.service')).ExecMainPID;
    expect(await runs()).toBe('0');
    expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
    expect((await on.deploy('switch', 'two')).values.result).toBe('finished');
    expect(await runs()).toBe('0');
  }, 240_000);
});

describe('without the module', () => {
  test('what was cut stays as it is until the next run, which settles it', async () => {
    const on = await Activations.start(web, nix, key);
    const before = await cut(on, 'two-boot-before');
    const [one, two] = [on.toplevel('one'), on.toplevel('two')];
    expect(await on.state()).toMatchObject({ current: one, profile: two, boot: one });
    expect(isOpen()).toBe(true);
    const { values } = await expectNextRun(on, before, 'two', 'none');
    expect(values).toMatchObject({ settled: 'taken-back', 'settled-toplevel': two, 'settled-phase': 'commit' });
  }, 240_000);
});
