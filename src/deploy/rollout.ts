import { mapConcurrently } from '../concurrency.ts';
import type { DeployConfig } from './deployment.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';

/** Outcomes that count as a failed host. */
const bad: ReadonlySet<OutcomeKind> = new Set(['degraded', 'refused', 'rolled-back', 'unreachable', 'failed']);

export function isBad({ outcome }: Outcome): boolean {
  return bad.has(outcome);
}

/** The hosts in the order of the roll-out: the canary, then the others. */
export function waves<T>(items: readonly T[], canary: DeployConfig['canary']): T[][] {
  if (canary === null) return [[...items]];
  const share = 'hosts' in canary ? canary.hosts : Math.ceil(items.length * canary.part);
  return [items.slice(0, share), items.slice(share)].filter(wave => wave.length > 0);
}

/**
 * Works through the hosts, `parallel` at once; one that fails does not stop the others, but for two reasons: a canary
 * that failed, and more failures than `maxFailures`. Hosts already begun are always seen through.
 *
 * A host that is unreachable says nothing of the systems that are rolled out, so it counts as a failed canary, which has
 * shown nothing, but not towards `maxFailures`: a laptop that is off does not stop a fleet.
 *
 * @param work must not throw.
 * @param skip answers for a host whose turn does not come, given the reason.
 * @param signal aborted: no further host is begun.
 */
export async function rollOut<T extends { host: string }>(
  items: readonly T[],
  { parallel, canary, maxFailures }: Pick<DeployConfig, 'parallel' | 'canary' | 'maxFailures'>,
  work: (item: T) => Promise<Outcome>,
  skip: (item: T, why: string) => Outcome,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const failed: string[] = [];
  const broken: string[] = [];
  let held: string | null = null;
  const outcomes: Outcome[] = [];
  const order = waves(items, canary);
  for (const [index, wave] of order.entries()) {
    const ended = await mapConcurrently(wave, parallel, async item => {
      if (signal.aborted) return skip(item, 'Cancelled before its turn.');
      if (held !== null) return skip(item, held);
      const outcome = await work(item);
      if (!isBad(outcome)) return outcome;
      failed.push(item.host);
      if (outcome.outcome === 'unreachable') return outcome;
      broken.push(item.host);
      if (broken.length > maxFailures) {
        held = `Held back: ${broken.join(', ')} failed, and max-failures is ${maxFailures}.`;
      }
      return outcome;
    });
    outcomes.push(...ended);
    const isCanary = canary !== null && index === 0 && order.length > 1;
    if (isCanary && failed.length > 0) held = `Held back: ${failed.join(', ')} went first as canary and failed.`;
  }
  return outcomes;
}
