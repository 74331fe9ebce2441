import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectNothingLeft, expectWhole } from '../support/activation-disasters.ts';
import { expectNext, inGroups, KillFleet } from '../support/kill-fleet.ts';
import { done, phasesOf, recorded } from '../support/kill-table.ts';
import { leftNextTo, versions, versionsOn, withoutMemory } from '../support/versioned-secrets.ts';

// Machines that lose power at the start of a phase and start again from their disks: of the kill table, the rows `power
// cut`. The runner loses its connections, comes back, and reports.

let fleet: KillFleet;

beforeAll(async () => {
  fleet = await KillFleet.start();
}, 180_000);
afterEach(() => fleet.openGates());
afterAll(() => fleet?.stop());

describe('a power cut', () => {
  test.each(inGroups(phasesOf('power cut')).map(phases => [phases.join(', '), phases] as const))(
    'at the start of `%s`',
    async (_, phases) => {
      const rows = await fleet.hold(phases);
      const running = fleet.deploy(rows.map(({ on, next }) => [on, next] as const));
      await fleet.held(rows);
      await Promise.all(rows.map(({ on }) => on.powerCycle()));
      await Promise.all(rows.map(({ release }) => release()));
      const outcomes = await running;
      for (const [index, row] of rows.entries()) {
        const { phase, on, before, secretsBefore, old, next } = row;
        const whole = done.includes(phase) ? next : old;
        const path = on.toplevel(whole);
        const outcome = outcomes[index];
        expect([phase, outcome?.outcome, outcome?.after]).toEqual([
          phase,
          // Without a record the target cannot say what there was to do.
          whole === next ? 'deployed' : recorded.includes(phase) ? 'rolled-back' : 'failed',
          path,
        ]);
        if (whole === old) expect(outcome?.message).toContain(`it runs and boots ${path}.`);
        const after = await on.state();
        expectWhole(on, after, whole);
        if (whole === old)
          expect(after).toMatchObject({ generations: before.generations, generation: before.generation });
        const secrets = withoutMemory(whole === next ? versions(fleet.secretsVersion) : secretsBefore);
        expect([phase, await versionsOn(on.target)]).toEqual([phase, secrets]);
        expect(await leftNextTo(on.target)).toBe('');
        await expectNothingLeft(on);
      }
      await Promise.all(rows.map(expectNext));
    },
    240_000,
  );
});
