import { join } from 'node:path';
import type { Answer, Order } from '../setup-driver.ts';
import { repository } from './machine.ts';
import { type Runner, work } from './runner.ts';

/** Runs the set-up stage inside the machine, by __tests__/e2e/setup-driver.ts under Node 24. */
export async function drive(runner: Runner, order: Order, user = 'runner'): Promise<Answer> {
  const argv = [work.node24, '--no-warnings', join(repository, '__tests__/e2e/setup-driver.ts'), JSON.stringify(order)];
  const { stdout, stderr } = await runner.run(argv, { user, allow: [0, 137] });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`The driver gave no answer: ${stdout}${stderr}`);
  return JSON.parse(last) as Answer;
}
