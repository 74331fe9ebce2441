import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { expectWhole } from '../support/activation-disasters.ts';
import { Activations } from '../support/activation-driver.ts';
import { configuration, deployment, deployOne, localNix } from '../support/deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from '../support/target.ts';

// Two runs at once on the same target: a dry run, as of a pull request, beside a deployment; and the same deployment twice.

let nix: Nix;
let key: Key;
let web: Target;
let on: Activations;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  on = await Activations.start(web, nix, key);
  expect(await go('switch', 'one')).toMatchObject({ outcome: 'deployed' });
}, 120_000);
afterEach(() => on.openGates());
afterAll(() => web?.stop());

const go = (mode: Mode, name: string, who = 'acme/fleet run 7'): Promise<Outcome> =>
  deployOne(nix, configuration(mode, key.private, web.knownHosts, { who }), deployment(web, on.toplevel(name)));

test('a switch ends a dry run that takes long, and does not wait for it', async () => {
  on.gate('two-dry', 'hold');
  const dry = go('dry-activate', 'two', 'a pull request');
  await on.heldAt('two-dry');
  expect(await go('switch', 'reinit', 'acme/fleet run 8')).toMatchObject({
    outcome: 'needs-reboot',
    message: expect.stringContaining('new system'),
  });
  expect(await dry).toMatchObject({
    outcome: 'refused',
    message: 'Ended, because another run activates a system: acme/fleet run 8. Nothing was changed.',
    after: on.toplevel('one'),
  });
  expect(await go('switch', 'one')).toMatchObject({ outcome: 'deployed' });
  expectWhole(on, await on.state(), 'one');
});

test('a dry run waits for a switch, and says what would change after it', async () => {
  on.gate('two-activation', 'hold');
  const switching = go('switch', 'two');
  await on.heldAt('two-activation');
  const dry = go('dry-activate', 'one', 'a pull request');
  const waiting = 'grep -rh "waiting for another" /run/nix-ferry --include=log';
  await until(async () => {
    expect(await web.says('sh', '-c', waiting)).toContain('waiting for another activation: acme/fleet run 7');
  }, 'the dry run');
  on.openGates();
  expect(await switching).toMatchObject({ outcome: 'deployed', after: on.toplevel('two') });
  const planned = await dry;
  expect(planned).toMatchObject({ outcome: 'planned', after: on.toplevel('two') });
  expect([...planned.units.stop, ...planned.units.restart]).toContain('worker.service');
  expectWhole(on, await on.state(), 'two');
});

test('the same system, deployed twice at once: the second run finds it there', async () => {
  await go('switch', 'one');
  expectWhole(on, await on.state(), 'one');
  on.gate('two-activation', 'hold');
  const first = go('switch', 'two');
  await on.heldAt('two-activation');
  const second = go('switch', 'two', 'acme/fleet run 8');
  const waiting = 'grep -rh "waiting for another" /run/nix-ferry --include=log';
  await until(async () => {
    expect(await web.says('sh', '-c', waiting)).toContain('waiting for another activation: acme/fleet run 7');
  }, 'the second run');
  on.openGates();
  expect(await first).toMatchObject({ outcome: 'deployed', before: on.toplevel('one'), after: on.toplevel('two') });
  expect(await second).toMatchObject({
    ...{ outcome: 'unchanged', before: on.toplevel('two'), after: on.toplevel('two') },
    message: 'The target was on this system before the activation.',
  });
  expectWhole(on, await on.state(), 'two');
});
