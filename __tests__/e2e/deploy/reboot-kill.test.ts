import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { disasters } from '../support/activation-disasters.ts';
import { rebootPhases } from '../support/activation-driver.ts';
import { done, rebootKinds } from '../support/kill-table.ts';
import { Rebooting } from '../support/rebooting.ts';
import { until } from '../support/target.ts';

// An activation with a reboot that is cut at the start of a phase, from the reboot on: of the kill table, the rows with a
// reboot. A machine for each kind of disaster.

const patience = 600_000;
let machines: Rebooting[];

beforeAll(async () => {
  machines = await Promise.all(rebootKinds.map((_, index) => Rebooting.start('systemd-boot', `web-${index}`)));
}, patience);
afterAll(() => Promise.all((machines ?? []).map(({ target }) => target.stop())));

/** Cuts a deployment with a reboot at the start of `phase`. @returns what is to be compared */
async function cut(web: Rebooting, kind: (typeof rebootKinds)[number], phase: string) {
  const before = await web.truth();
  const [old, next] = before.running === web.toplevel('old') ? ['old', 'good'] : ['good', 'old'];
  const [gate, atGate] = ['/var/lib/gate', '/var/lib/at-gate'];
  // Of an earlier cut: whatever is held writes it again and again.
  rmSync(web.target.machine.path(atGate), { force: true });
  writeFileSync(web.target.machine.path(gate), phase);
  const running = web.deploy(next, { reboot: 'always', confirmTimeout: 15 });
  const held = until(async () => expect(existsSync(web.target.machine.path(atGate))).toBe(true), `the phase ${phase}`);
  await Promise.race([held, running.then(outcome => Promise.reject(new Error(outcome.message)))]);
  const open = (): void => rmSync(web.target.machine.path(gate), { force: true });
  if (kind === 'power cut') {
    open();
    await web.target.powerCut();
    await web.target.powerOn();
  } else {
    const [id = ''] = web.on.runs();
    await disasters[kind](web.on, id);
    open();
  }
  const { outcome, after } = await running;
  const whole = done.includes(phase) ? next : old;
  await web.expectClean();
  return {
    is: { kind, outcome, after, truth: await web.truth() },
    wanted: {
      ...{ kind, outcome: whole === next ? 'deployed' : 'rolled-back', after: web.toplevel(whole) },
      truth: web.wholly(whole),
    },
  };
}

describe('an activation with a reboot is cut', () => {
  test.each(rebootPhases.map(phase => [phase]))(
    `at the start of \`%s\`: ${rebootKinds.join('; ')}`,
    async phase => {
      const cuts = await Promise.all(rebootKinds.map((kind, index) => cut(machines[index] as Rebooting, kind, phase)));
      expect(cuts.map(({ is }) => is)).toEqual(cuts.map(({ wanted }) => wanted));
    },
    patience,
  );
});
