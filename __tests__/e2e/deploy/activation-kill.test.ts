import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Disaster,
  disasters,
  expectSettled,
  expectWhole,
  held,
  holdAt,
  other,
} from '../support/activation-disasters.ts';
import { Activations } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { armed, confirmed, done, phasesOf, recorded } from '../support/kill-table.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';
import { leftNextTo, stageVersion, versions, versionsOn } from '../support/versioned-secrets.ts';

let web: Target;
let on: Activations;
let secretsVersion = 0;

beforeAll(async () => {
  const key = await generateKey('deploy');
  const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  web = target;
  on = await Activations.start(web, nix, key);
  expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
}, 120_000);
afterEach(() => on.openGates());
afterAll(() => web?.stop());

const table = (Object.keys(disasters) as Disaster[]).flatMap(disaster =>
  phasesOf(disaster).map(phase => [phase, disaster] as const),
);

describe('a supervisor', () => {
  test.each(table)(
    'at the start of `%s`: %s',
    async (phase, disaster) => {
      const before = await on.state();
      const [old, next] = [other(on, on.toplevel(other(on, before.current))), other(on, before.current)];
      expectWhole(on, before, old);

      const id = on.id();
      const secretsBefore = await versionsOn(web);
      await stageVersion(on, id, ++secretsVersion);
      const release = await holdAt(on, phase);
      const limits = { 'step-limit': '3', 'activate-limit': '5', 'health-limit': '3', confirm: '3', nonce: id };
      const running = on.run(id, 'switch', next, { ...limits, secrets: 'true' });
      if (confirmed.includes(phase)) {
        await on.inPhase(id, 'confirm');
        expect((await on.call('confirm', id, id)).values.confirmed).toBe('yes');
      }
      await held(on, id, phase);
      await disasters[disaster](on, id);
      await release();
      await expectSettled(on, id, (await running).values, {
        before,
        next,
        whole: done.includes(phase) ? next : old,
        // Nothing is armed yet, or no longer.
        armed: armed.includes(phase) && phase !== 'disarm',
        recorded: recorded.includes(phase),
        settle: disaster === 'its process killed',
      });
      expect(await versionsOn(web)).toEqual(done.includes(phase) ? versions(secretsVersion) : secretsBefore);
      expect(await leftNextTo(web)).toBe('');
    },
    120_000,
  );
});
