import { mapConcurrently } from '../concurrency.ts';
import { UserError } from '../errors.ts';
import type { DeployConfig } from './deployment.ts';
import { isFailure, type Outcome, outcomes } from './outcome.ts';

/** What the order of a roll-out depends on. */
export interface Order extends Pick<DeployConfig, 'canary' | 'waves'> {}

/** What a roll-out needs to know about a host. */
export interface Rolled extends Tagged {
  host: string;
}

interface Tagged {
  tags: readonly string[];
}

/** The wave of the hosts that no other wave has. */
export const rest = '@rest';

/** Some hosts that are deployed to at the same time; the next ones are started when all of these have ended. */
export interface Wave<T> {
  /** In words, for what is not started because of it. */
  name: string;
  items: T[];
  /**
   * Which outcomes of these hosts keep later waves from being started: of a canary all that fail; of a wave not a host that
   * is off, since that says nothing about the systems.
   */
  decides: 'failed' | 'counted' | null;
}

/**
 * The hosts in the order of the roll-out: the canary, then the waves. A host belongs to the first wave whose tag it has;
 * those with none of the tags are in the wave `@rest`, which is the last one if it is not written.
 */
export function wavesOf<T extends Rolled>(items: readonly T[], { canary, waves }: Order): Wave<T>[] {
  const ordered = byTags(items, waves);
  const inOrder = ordered.flatMap(wave => wave.items);
  const size = canary === null ? 0 : 'hosts' in canary ? canary.hosts : Math.ceil(inOrder.length * canary.part);
  const first = new Set(inOrder.slice(0, size));
  const later = ordered.map(wave => ({ ...wave, items: wave.items.filter(item => !first.has(item)) }));
  const all = [{ name: 'the canary', items: [...first], decides: 'failed' as const }, ...later].filter(
    ({ items }) => items.length > 0,
  );
  return all.map((wave, index) => ({ ...wave, decides: index < all.length - 1 ? wave.decides : null }));
}

function byTags<T extends Rolled>(items: readonly T[], waves: readonly string[]): Wave<T>[] {
  const tags = waves.includes(rest) ? waves : [...waves, rest];
  const left = new Set(items);
  const tagged = new Map<string, T[]>();
  const take = (tag: string, wanted: (item: T) => boolean): void => {
    const taken = [...left].filter(wanted);
    for (const item of taken) left.delete(item);
    tagged.set(tag, taken);
  };
  for (const tag of tags) if (tag !== rest) take(tag, item => item.tags.includes(tag));
  take(rest, () => true);
  return tags.map(tag => ({
    name: tag === rest ? 'the other hosts' : `the wave \`${tag}\``,
    items: tagged.get(tag) ?? [],
    decides: waves.length > 0 ? 'counted' : null,
  }));
}

/** @throws UserError for a wave without a host, which most likely is a tag that is written wrongly. */
export function checkWaves(items: readonly Tagged[], waves: readonly string[]): void {
  const tags = new Set(items.flatMap(item => item.tags));
  const unknown = waves.find(wave => wave !== rest && !tags.has(wave));
  if (unknown === undefined) return;
  const known = [...tags].sort().join(', ');
  throw new UserError(`No host has the tag '${unknown}'.`, {
    where: { input: 'waves' },
    cure: known === '' ? 'No host has a tag.' : `Tags of the hosts: ${known}.`,
  });
}

/** Does the work of a roll-out. */
export interface Work<T> {
  /** Must not throw. */
  deploy(item: T): Promise<Outcome>;
  /** Makes the outcome of a host that is not started, given the reason. */
  skip(item: T, why: string): Outcome;
}

/**
 * Deploys to the hosts, `parallel` at a time. A failed host does not stop the others, except as `canary`, `waves` and
 * `maxFailures` say. A host that has been started is always finished.
 *
 * @param signal when aborted, no further host is started.
 */
export async function rollOut<T extends Rolled>(
  items: readonly T[],
  config: Order & Pick<DeployConfig, 'parallel' | 'maxFailures'>,
  { deploy, skip }: Work<T>,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const counted: string[] = [];
  let stopped: string | null = null;
  const done: Outcome[] = [];
  for (const wave of wavesOf(items, config)) {
    const failed: string[] = [];
    const ended = await mapConcurrently(wave.items, config.parallel, async item => {
      if (signal.aborted) return skip(item, 'The run was cancelled before this host was started.');
      if (stopped !== null) return skip(item, stopped);
      const outcome = await deploy(item);
      const counts = outcomes[outcome.outcome].countsTowardsMaxFailures;
      if (counts) counted.push(item.host);
      if (wave.decides === 'counted' ? counts : isFailure(outcome)) failed.push(item.host);
      if (counted.length > config.maxFailures) {
        stopped = `Not started: ${counted.join(', ')} failed, and max-failures is ${config.maxFailures}.`;
      }
      return outcome;
    });
    done.push(...ended);
    if (wave.decides !== null && failed.length > 0)
      stopped ??= `Not started: ${failed.join(', ')} of ${wave.name} failed.`;
  }
  return done;
}
