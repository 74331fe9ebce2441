import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Disaster, disasters, expectSettled, expectWhole, other } from '../support/activation-disasters.ts';
import { Activations } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';

let web: Target;
let on: Activations;

beforeAll(async () => {
  const key = await generateKey('deploy');
  const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  web = target;
  on = await Activations.start(web, nix, key);
  expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
}, 120_000);
afterEach(() => on.openGates());
afterAll(() => web?.stop());

/** A moment in the middle of a phase. */
interface Moment {
  /** Puts a gate in the way. */
  hold(old: string, next: string): void;
  /** What the run is given. */
  spec?: Record<string, string>;
  confirm?: boolean;
  /** The gate at which it is held. */
  at(old: string, next: string): string;
  ends: 'old' | 'new';
  armed?: false;
}

const waits = ': >/run/gate/at-command; while [ -e /run/gate/command ]; do sleep 0.1; done';
const moments: Record<string, Moment> = {
  'a pre-deploy check runs': {
    hold: () => on.gate('command', ''),
    spec: { 'check-1.command': waits, 'check-1.timeout': '2', 'health-limit': '2' },
    at: () => 'command',
    ends: 'old',
    armed: false,
  },
  'the activation script runs': {
    hold: (_old, next) => on.gate(`${next}-activation`, 'hold'),
    at: (_old, next) => `${next}-activation`,
    ends: 'old',
  },
  'units start': {
    hold: (_old, next) => on.gate(`${next}-start`, 'hold'),
    at: (_old, next) => `${next}-start`,
    ends: 'old',
  },
  'a health check runs': {
    hold: () => on.gate('command', ''),
    spec: { 'health-1.command': waits },
    at: () => 'command',
    ends: 'old',
  },
  'the profile is set, the boot loader not': {
    hold: (_old, next) => on.gate(`${next}-boot-before`, 'hold'),
    confirm: true,
    at: (_old, next) => `${next}-boot-before`,
    ends: 'old',
  },
  'the boot loader is written': {
    hold: (_old, next) => on.gate(`${next}-boot-after`, 'hold'),
    confirm: true,
    at: (_old, next) => `${next}-boot-after`,
    ends: 'new',
  },
  'it goes back, and the old activation script runs': {
    hold: (old, next) => {
      on.gate(`${next}-activation`, 'fail');
      on.gate(`${old}-activation`, 'hold');
    },
    at: old => `${old}-activation`,
    ends: 'old',
  },
  'it goes back, and the old boot menu is installed': {
    hold: (old, next) => {
      on.gate(`${next}-boot-after`, 'fail');
      on.gate(`${old}-boot-before`, 'hold');
    },
    confirm: true,
    at: old => `${old}-boot-before`,
    ends: 'old',
  },
};

const table = Object.keys(moments).flatMap(moment =>
  (Object.keys(disasters) as Disaster[])
    .filter(disaster => disaster !== 'its unit frozen' || moments[moment]?.armed !== false)
    .map(disaster => [moment, disaster] as const),
);

describe('a supervisor', () => {
  test.each(table)(
    'while %s: %s',
    async (name, disaster) => {
      const moment = moments[name] as Moment;
      const before = await on.state();
      const next = other(on, before.current);
      const old = other(on, on.toplevel(next));
      expectWhole(on, before, old);

      const id = on.id();
      moment.hold(old, next);
      const running = on.run(id, 'switch', next, {
        ...{ 'step-limit': '3', 'activate-limit': '5', 'health-limit': '5', confirm: moment.confirm ? '10' : '0' },
        ...{ nonce: id, ...moment.spec },
      });
      if (moment.confirm) {
        await on.inPhase(id, 'confirm');
        expect((await on.call('confirm', id, id)).values.confirmed).toBe('yes');
      }
      await on.heldAt(moment.at(old, next));
      await disasters[disaster](on, id);
      on.openGates();
      await expectSettled(on, id, (await running).values, {
        before,
        next,
        whole: moment.ends === 'new' ? next : old,
        armed: moment.armed !== false,
        recorded: true,
        settle: disaster === 'its process killed',
      });
    },
    120_000,
  );
});
