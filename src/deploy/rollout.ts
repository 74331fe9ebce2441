import { Slots } from '../concurrency.ts';
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

/** Does the work of a roll-out. Must not throw. */
export interface Work<T> {
  /**
   * Does everything that changes nothing on the target.
   *
   * @param signal aborted when the host will not be activated.
   * @param onConnected to be called when the target has answered.
   * @returns null if the host can be activated.
   */
  prepare(item: T, signal: AbortSignal, onConnected: () => void): Promise<Outcome | null>;
  activate(item: T): Promise<Outcome>;
  /** Makes the outcome of a host that is not started, given the reason. */
  skip(item: T, why: string): Outcome;
  /** Called with each outcome that is final. */
  ended(outcome: Outcome): void;
}

/** Milliseconds after which a target that does not answer no longer holds up the ones after it. */
const patience = 5_000;

/**
 * Deploys to the hosts. At most `parallel` are activated at once; as many of the next ones, in later waves too, are prepared
 * meanwhile. A failed host does not stop the others, except as `canary`, `waves` and `maxFailures` say. An activation that
 * has begun is always finished.
 *
 * @param signal when aborted, no further host is started.
 * @returns the outcomes, in the order of the roll-out.
 */
export async function rollOut<T extends Rolled>(
  items: readonly T[],
  config: Order & Pick<DeployConfig, 'parallel' | 'maxFailures'>,
  work: Work<T>,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const rollOut = new RollOut(config, work, signal);
  let earlier: Promise<unknown> = Promise.resolve();
  const waves = wavesOf(items, config).map(wave => {
    const ended = rollOut.wave(wave, earlier);
    earlier = ended;
    return ended;
  });
  return (await Promise.all(waves)).flat();
}

class RollOut<T extends Rolled> {
  readonly #maxFailures: number;
  readonly #work: Work<T>;
  readonly #signal: AbortSignal;
  readonly #prepared: Slots;
  readonly #active: Slots;
  /** The hosts that count towards `maxFailures`. */
  readonly #counted: string[] = [];
  /** Why no further host is started, once that is so. */
  #stopped: string | null = null;

  constructor(
    { parallel, maxFailures }: Pick<DeployConfig, 'parallel' | 'maxFailures'>,
    work: Work<T>,
    signal: AbortSignal,
  ) {
    this.#maxFailures = maxFailures;
    this.#work = work;
    this.#signal = signal;
    this.#prepared = new Slots(parallel);
    this.#active = new Slots(parallel);
  }

  /** @param earlier ends when the waves before it have ended. */
  async wave({ items, decides, name }: Wave<T>, earlier: Promise<unknown>): Promise<Outcome[]> {
    const heldBack = new AbortController();
    const begins = earlier.then(() => {
      const why = this.#whyNot;
      if (why !== null) heldBack.abort();
      return why;
    });
    const failed: string[] = [];
    const ended = await Promise.all(
      items.map(async item => {
        const outcome = await this.#host(item, begins, heldBack.signal);
        const counts = outcomes[outcome.outcome].countsTowardsMaxFailures;
        if (decides === 'counted' ? counts : isFailure(outcome)) failed.push(item.host);
        this.#work.ended(outcome);
        return outcome;
      }),
    );
    if (decides !== null && failed.length > 0) this.#stopped ??= `Not started: ${failed.join(', ')} of ${name} failed.`;
    return ended;
  }

  get #whyNot(): string | null {
    return this.#signal.aborted ? 'The run was cancelled before this host was started.' : this.#stopped;
  }

  #count(outcome: Outcome): Outcome {
    if (!outcomes[outcome.outcome].countsTowardsMaxFailures) return outcome;
    this.#counted.push(outcome.host);
    if (this.#counted.length > this.#maxFailures) {
      this.#stopped = `Not started: ${this.#counted.join(', ')} failed, and max-failures is ${this.#maxFailures}.`;
    }
    return outcome;
  }

  async #host(item: T, begins: Promise<string | null>, heldBack: AbortSignal): Promise<Outcome> {
    const free = await this.#prepared.take();
    try {
      if (this.#whyNot !== null) return this.#work.skip(item, this.#whyNot);
      const ended = await this.#prepare(item, heldBack, free);
      const why = await begins;
      // What happened to a host of a wave that does not begin does not count.
      if (why !== null) return this.#work.skip(item, why);
      return ended === null ? await this.#activate(item, free) : this.#count(ended);
    } finally {
      free();
    }
  }

  async #prepare(item: T, heldBack: AbortSignal, free: () => void): Promise<Outcome | null> {
    const slow = setTimeout(free, patience);
    try {
      return await this.#work.prepare(item, heldBack, () => clearTimeout(slow));
    } finally {
      clearTimeout(slow);
    }
  }

  async #activate(item: T, free: () => void): Promise<Outcome> {
    const end = await this.#active.take();
    free();
    try {
      if (this.#whyNot !== null) return this.#work.skip(item, this.#whyNot);
      // Before the place is free for the next host.
      return this.#count(await this.#work.activate(item));
    } finally {
      end();
    }
  }
}
