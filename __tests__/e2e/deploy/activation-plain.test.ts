import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Activations } from '../support/activation-driver.ts';
import type { Machine } from '../support/machine.ts';
import { startPlainMachine } from '../support/plain-machine.ts';
import { until } from '../support/target.ts';

// A machine without systemd: the supervisor and the dead man's switch are detached processes. The miniature's
// switch-to-configuration does all but the units there.

let machine: Machine;
let on: Activations;

beforeAll(async () => {
  on = await startPlainMachine('plain');
  machine = on.target.machine;
}, 120_000);
afterEach(() => on.openGates());
afterAll(() => machine?.stop());

const runs = () => on.target.currentSystem();
const processes = (): Promise<string> =>
  on.target.says('sh', '-c', "pgrep -af '[/]run/nix-ferry/.* (supervise|switchback)'; :");

test('switch, confirmed and not confirmed', async () => {
  expect((await on.deploy('switch', 'one')).values).toMatchObject({ result: 'finished', boot: on.toplevel('one') });
  const id = on.id();
  const running = on.run(id, 'switch', 'two', { confirm: '30', nonce: 'n' });
  await on.inPhase(id, 'confirm');
  await on.call('confirm', id, 'n');
  expect((await running).values).toMatchObject({ result: 'finished', profile: on.toplevel('two') });
  await on.call('finish', id);
  const { values } = await on.deploy('switch', 'one', { confirm: '1', nonce: 'n' });
  expect(values).toMatchObject({ result: 'went-back', current: on.toplevel('two') });
  await until(async () => expect(await processes()).toBe(''), 'the switches have ended');
}, 60_000);

test.each(['killed', 'stopped'])(
  'a supervisor that is %s in the activation: the switch goes back',
  async how => {
    await on.deploy('switch', 'one');
    const id = on.id();
    on.gate('two-activation', 'hold');
    const running = on.run(id, 'switch', 'two', { 'activate-limit': '3', 'step-limit': '2' });
    await on.heldAt('two-activation');
    await on.target.says('sh', '-c', `kill -${how === 'killed' ? 'KILL' : 'STOP'} "$(cat /run/nix-ferry/${id}/pid)"`);
    if (how === 'killed') {
      // The activation itself must end too.
      await until(async () => expect((await on.call('probe')).values.open).toBe(''), 'the settling');
    }
    on.openGates();
    expect((await running).values).toMatchObject({ result: 'went-back', by: 'switch', current: on.toplevel('one') });
    expect(await runs()).toBe(on.toplevel('one'));
    await on.call('finish', id);
    await until(async () => expect(await processes()).toBe(''), 'all has ended');
    expect((await on.deploy('switch', 'two')).values).toMatchObject({ result: 'finished', settled: '' });
  },
  120_000,
);
