import { mapConcurrently } from '../concurrency.ts';
import type { DeployConfig } from './deployment.ts';
import { isFailure, type Outcome, outcomes } from './outcome.ts';

/** The hosts in the order of the roll-out: the canary, then the others. */
export function waves<T>(items: readonly T[], canary: DeployConfig['canary']): T[][] {
  if (canary === null) return [[...items]];
  const share = 'hosts' in canary ? canary.hosts : Math.ceil(items.length * canary.part);
  return [items.slice(0, share), items.slice(share)].filter(wave => wave.length > 0);
}

/**
 * Deploys to the hosts, `parallel` at a time. A failed host does not stop the others, with two exceptions: a failed canary,
 * and more failures than `maxFailures`. A host that has been started is always finished.
 *
 * @param work must not throw.
 * @param skip makes the outcome of a host that is not started, given the reason.
 * @param signal when aborted, no further host is started.
 */
export async function rollOut<T extends { host: string }>(
  items: readonly T[],
  { parallel, canary, maxFailures }: Pick<DeployConfig, 'parallel' | 'canary' | 'maxFailures'>,
  work: (item: T) => Promise<Outcome>,
  skip: (item: T, why: string) => Outcome,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const failed: string[] = [];
  const counted: string[] = [];
  let stopped: string | null = null;
  const done: Outcome[] = [];
  const order = waves(items, canary);
  for (const [index, wave] of order.entries()) {
    const ended = await mapConcurrently(wave, parallel, async item => {
      if (signal.aborted) return skip(item, 'The run was cancelled before this host was started.');
      if (stopped !== null) return skip(item, stopped);
      const outcome = await work(item);
      if (isFailure(outcome)) failed.push(item.host);
      if (outcomes[outcome.outcome].countsTowardsMaxFailures) counted.push(item.host);
      if (counted.length > maxFailures) {
        stopped = `Not started: ${counted.join(', ')} failed, and max-failures is ${maxFailures}.`;
      }
      return outcome;
    });
    done.push(...ended);
    const isCanary = canary !== null && index === 0 && order.length > 1;
    if (isCanary && failed.length > 0) stopped = `Not started: the canary ${failed.join(', ')} failed.`;
  }
  return done;
}
