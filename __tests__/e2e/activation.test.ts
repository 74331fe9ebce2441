import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Activations } from './activation-driver.ts';
import { localNix } from './deploy-bench.ts';
import { generateKey, startSystemdTarget, type Target } from './testbed/target.ts';

let web: Target;
let on: Activations;

beforeAll(async () => {
  const key = await generateKey('deploy');
  const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  web = target;
  on = await Activations.start(web, nix, key);
}, 120_000);
afterEach(() => on.openGates());
afterAll(() => web?.stop());

describe('the way there', () => {
  test('the first switch of a machine', async () => {
    const { values, phases: shown } = await on.deploy('switch', 'one');
    console.log(values, shown);
    expect(values).toMatchObject({ result: 'finished', phase: 'report', current: on.toplevel('one') });
    console.log(await on.state());
    console.log(JSON.stringify(await on.call('probe')));
    console.log(
      await web.says(
        'sh',
        '-c',
        'cat /var/lib/nix-ferry/deployed.json /var/lib/nix-ferry/history; ls -la /var/lib/nix-ferry /run/nix-ferry; journalctl --no-pager | grep -i ferry | tail -50',
      ),
    );
  });
  test('the second', async () => {
    const id = on.id();
    const running = on.run(id, 'switch', 'two', { confirm: '20', nonce: 'n' });
    await on.inPhase(id, 'confirm');
    console.log(await on.call('confirm', id, 'n'));
    const answers = await running;
    console.log(answers, await on.call('finish', id), await on.state());
  });
  test('not confirmed', async () => {
    const answers = await on.deploy('switch', 'one', { confirm: '2', nonce: 'n' });
    console.log(answers, await on.state());
  });
});
