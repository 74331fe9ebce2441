import { mapConcurrently } from '../../concurrency.ts';
import type { Context } from '../../context.ts';
import {
  type Adapter,
  type AdapterCall,
  type AdapterResult,
  callAdapter,
  type EvaluationEvent,
  type Evaluator,
  type Names,
  type NixFailure,
} from './adapter.ts';
import { availableMemory } from './memory.ts';

/** The result of one host's evaluation. `before`: what was known of the host when it failed. */
export type Evaluated<T> = { host: string; answer: T } | { host: string; failure: NixFailure; before?: T | undefined };

export interface Evaluation<T> {
  /** In the order of the requested hosts. */
  hosts: Evaluated<T>[];
  /** Nix files that were evaluated. */
  files: Set<string>;
}

/** How evaluators share the machine. */
export interface Budget {
  /** Maximum number of evaluators at once; null: one per processor. */
  jobs: number | null;
  /** Bytes for all of them together; null: most of the memory that is available. */
  memory: number | null;
}

export interface EvaluateOptions extends Evaluator {
  budget: Budget;
  /** The error to throw if Nix fails before it has begun with any host. */
  errorFor(failure: NixFailure): Error;
}

/** The least memory with which an evaluator is useful; a host takes 50 MB (nixpkgs 17.09) to 400 MB (25.05) of it. */
const leastMemory = 768 * 1024 * 1024;

/** The part of the available memory that the heaps of evaluators may take: they need more than their heaps, and so do we. */
const heapShare = 0.8;

/** With fewer hosts, another evaluator costs more than it saves: each one reads nixpkgs' libraries and packages again. */
const leastHosts = 2;

/** The number of evaluators for `hosts` hosts. */
export function processes(hosts: number, processors: number, jobs: number | null, memory: number): number {
  const most = Math.min(jobs ?? processors, Math.floor(memory / leastMemory), Math.ceil(hosts / leastHosts));
  return Math.max(1, most);
}

/** Splits `items` into `count` lists of nearly equal length, each in order. */
export function deal<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: Math.min(count, items.length) }, (_, hand) =>
    items.filter((_item, index) => index % count === hand),
  );
}

/** The names of all hosts and, if there is one only, what the same evaluator returned for it. */
export interface Opened<T> extends Names {
  sole: AdapterResult<T> | null;
  /** Nix files that were evaluated. */
  files: Set<string>;
}

/**
 * Evaluates the names of the hosts. A single host is evaluated as a whole at the same time: its name may be part of its
 * configuration, which would otherwise be evaluated twice.
 *
 * @throws `options.errorFor` if Nix fails before the names are known.
 */
export async function evaluateNames<T extends { name: string }>(
  adapter: Adapter,
  options: EvaluateOptions,
): Promise<Opened<T>> {
  const heap = await memoryFor(options.budget);
  const onEvent = progressOf<T>('hosts', options.context);
  const result = await callAdapter<T>({ ...adapter, heap }, { attribute: 'opened' }, options, onEvent);
  const { opened: names, failure, begun, files } = result;
  if (names !== null && (failure === null || begun !== null)) {
    return { ...names, sole: names.names.length === 1 ? result : null, files };
  }
  throw failure === null ? new Error('an adapter has reported no names') : options.errorFor(failure);
}

async function memoryFor({ memory }: Budget): Promise<number> {
  return memory ?? heapShare * (await availableMemory());
}

/**
 * Evaluates hosts in as many evaluators as processors, memory and the number of hosts justify. If a host fails, the others are
 * not affected: the answers before it are kept, and the remaining hosts are evaluated by a new evaluator.
 *
 * @param sole what `evaluateNames` returned for the only host.
 * @throws `options.errorFor` if Nix fails before it has begun with any host.
 */
export async function evaluateHosts<T extends { name: string }>(
  adapter: Adapter,
  { attribute, hosts, ...more }: AdapterCall & { hosts: readonly string[] },
  options: EvaluateOptions,
  sole: AdapterResult<T> | null = null,
): Promise<Evaluation<T>> {
  const { budget, nix, context } = options;
  const memory = await memoryFor(budget);
  const count = processes(hosts.length, nix.processors, budget.jobs, memory);
  const files = new Set<string>();
  const warnings = new Map<string, string[]>();
  const results = new Map<string, Evaluated<T>>();
  const outOfMemory: string[] = [];
  let known = sole;
  const onEvent = progressOf<T>(attribute, context);

  const run = async (names: readonly string[], heap: number, last: boolean): Promise<void> => {
    let queue: Queue = { rest: names, most: names.length };
    while (queue.rest.length > 0) {
      const call = { ...more, attribute, hosts: queue.rest.slice(0, queue.most) };
      const result = known ?? (await callAdapter<T>({ ...adapter, heap }, call, options, onEvent));
      known = null;
      for (const file of result.files) files.add(file);
      for (const [text, its] of result.warnings) {
        // Before it begins with a host, an evaluator evaluates what hosts have in common, or the name of its only host.
        const whose = its.size > 0 ? its : call.hosts;
        warnings.set(text, [...new Set([...(warnings.get(text) ?? []), ...whose])]);
      }
      for (const answer of result.answers) results.set(answer.name, { host: answer.name, answer });
      const { failure, begun: culprit } = result;
      if (failure !== null && culprit === null) throw options.errorFor(failure);
      const done = culprit === null ? call.hosts.length : call.hosts.indexOf(culprit);
      queue = after(queue, done, failure, names.length);
      // A host that is still in the queue is evaluated again.
      if (failure === null || culprit === null || queue.rest[0] === culprit) continue;
      if (failure.kind === 'memory' && !last) {
        outOfMemory.push(culprit);
        continue;
      }
      // The reason is reported once for all hosts that have it.
      context.progress({ host: culprit, stage: 'plan', state: 'failed', text: 'not evaluated' });
      const before = result.answers.findLast(({ name }) => name === culprit);
      results.set(culprit, { host: culprit, failure, before });
    }
  };
  const hands = deal(hosts, count);
  await mapConcurrently(hands, hands.length, hand => run(hand, memory / count, false));
  // Each of them alone with all of the memory.
  for (const host of outOfMemory) await run([host], memory, true);
  for (const [text, its] of warnings) context.log.warning(`Evaluating ${its.join(', ')}: ${text}`);
  return { hosts: hosts.flatMap(host => results.get(host) ?? []), files };
}

/** Hosts that are not evaluated yet, and how many of them the next evaluator gets at most. */
interface Queue {
  rest: readonly string[];
  most: number;
}

/**
 * The queue after an evaluator has ended. It keeps all that it has evaluated: if it ran out of memory after some hosts, the
 * next host begins a new one, and no evaluator gets more hosts than fitted into this one.
 *
 * @param done the hosts that it has evaluated. @param all the length of the queue at first.
 */
function after({ rest, most }: Queue, done: number, failure: NixFailure | null, all: number): Queue {
  if (failure === null) return { rest: rest.slice(done), most };
  if (failure.kind !== 'memory') return { rest: rest.slice(done + 1), most };
  if (done > 0) return { rest: rest.slice(done), most: done };
  // It is too large for an evaluator by itself, which says nothing about the others.
  return { rest: rest.slice(1), most: all };
}

/** Hosts whose tags are read may not be selected: one of them is evaluated only if it is begun a second time. */
function progressOf<T extends { name: string }>(
  attribute: AdapterCall['attribute'],
  { progress }: Context,
): (event: EvaluationEvent<T>) => void {
  const known = new Set<string>();
  const shown = new Set<string>();
  return event => {
    if ('opened' in event) return;
    const host = 'begun' in event ? event.begun : event.answer.name;
    if ('begun' in event && (attribute === 'hosts' || known.has(host))) {
      shown.add(host);
      progress({ host, stage: 'plan', state: 'running', text: 'evaluating' });
    } else if ('answer' in event && shown.has(host)) {
      progress({ host, stage: 'plan', state: 'done', text: 'evaluated' });
    } else known.add(host);
  };
}
