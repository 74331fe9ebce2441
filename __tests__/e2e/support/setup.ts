import { join } from 'node:path';
import type { Answer, Order } from './drivers/setup.ts';
import { repository } from './machine.ts';
import { type Runner, work } from './runner.ts';

/** The file in which the driver saves the state of its run; drivers/setup.ts has the same path. */
export const stateFile = '/var/tmp/state';

/** Starts what `drive` runs, for a test to kill. */
export function startDriving(runner: Runner, order: Order, user = 'runner'): { kill(): Promise<void> } {
  const ended = runner.run(argvOf(order), { user, allow: [0, 1, 137] }).catch(() => undefined);
  return {
    kill: async () => {
      await runner.machine.run(['pkill', '-KILL', '-f', 'drivers/setup\\.ts'], { allow: [0, 1] });
      await ended;
    },
  };
}

/** Runs the set-up stage inside the machine, by __tests__/e2e/support/drivers/setup.ts under Node 24. */
export async function drive(
  runner: Runner,
  order: Order,
  user = 'runner',
  env: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { stdout, stderr } = await runner.run(argvOf(order), { user, env, allow: [0, 137] });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`The driver printed no answer: ${stdout}${stderr}`);
  return JSON.parse(last) as Answer;
}

function argvOf(order: Order): string[] {
  return [
    work.node24,
    '--no-warnings',
    join(repository, '__tests__/e2e/support/drivers/setup.ts'),
    JSON.stringify(order),
  ];
}
