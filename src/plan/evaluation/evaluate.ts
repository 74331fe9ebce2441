import { freemem } from 'node:os';
import { mapConcurrently } from '../../concurrency.ts';
import type { Context } from '../../context.ts';
import type { Nix } from '../../nix/index.ts';
import { type Adapter, ask, type NixFailure, type Question } from './adapter.ts';

/** What one host's evaluation came to. */
export type Evaluated<T> = { host: string; answer: T } | { host: string; failure: NixFailure };

export interface Evaluation<T> {
  /** In the order of the hosts asked for. */
  hosts: Evaluated<T>[];
  /** Nix files that were evaluated. */
  files: Set<string>;
}

/** How evaluators share the machine. */
export interface Budget {
  /** Evaluators at once; null: one a processor. */
  jobs: number | null;
  /** Bytes for all of them together; null: what is free. */
  memory: number | null;
}

/** What one evaluator needs to be of use; a host of nixpkgs takes 50 MB (17.09) to 400 MB (25.05) of it. */
const leastMemory = 768 * 1024 * 1024;

/** Hosts below which a further evaluator costs more than it saves: each reads nixpkgs' libraries and packages anew. */
const leastHosts = 2;

/** Into how many evaluators `hosts` hosts are split. */
export function processes(hosts: number, processors: number, jobs: number | null, memory: number): number {
  const most = Math.min(jobs ?? processors, Math.floor(memory / leastMemory), Math.ceil(hosts / leastHosts));
  return Math.max(1, most);
}

/** Deals `items` out to `count` hands of nearly equal size, each in order. */
export function deal<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: Math.min(count, items.length) }, (_, hand) =>
    items.filter((_item, index) => index % count === hand),
  );
}

/**
 * Evaluates hosts in as many evaluators as processors, memory and their number make sensible. A host that fails takes none
 * of the others with it: what was answered before it is kept, and the rest goes to a new evaluator.
 *
 * @throws NixFailure's error only through `onSource`: when Nix fails before it has begun any host.
 */
export async function evaluate<T extends { name: string }>(
  adapter: Adapter,
  question: Question,
  hosts: readonly string[],
  budget: Budget,
  nix: Nix,
  context: Context,
  onSource: (failure: NixFailure) => Error,
): Promise<Evaluation<T>> {
  const memory = budget.memory ?? freemem();
  const count = processes(hosts.length, nix.processors, budget.jobs, memory);
  const files = new Set<string>();
  const found = new Map<string, Evaluated<T>>();
  const exhausted: string[] = [];

  const run = async (names: readonly string[], heap: number, last: boolean): Promise<void> => {
    let rest = names;
    while (rest.length > 0) {
      const told = await ask<T>({ ...adapter, heap }, question, { hosts: rest }, nix, context, event => {
        if ('begun' in event) {
          context.progress({ host: event.begun, stage: 'plan', state: 'running', text: 'evaluating' });
        } else {
          context.progress({ host: event.answer.name, stage: 'plan', state: 'done', text: 'evaluated' });
        }
      });
      for (const file of told.files) files.add(file);
      for (const answer of told.answers) found.set(answer.name, { host: answer.name, answer });
      if (told.failure === null) return;
      const culprit = told.begun;
      if (culprit === null) throw onSource(told.failure);
      const before = rest;
      rest = rest.slice(rest.indexOf(culprit) + 1);
      if (isMemory(told.failure) && (before[0] !== culprit || !last)) {
        // Not this host's fault: hosts before it filled the heap. It gets an evaluator of its own, later.
        exhausted.push(culprit);
        continue;
      }
      context.progress({
        host: culprit,
        stage: 'plan',
        state: 'failed',
        text: told.failure.message.split('\n')[0] ?? '',
      });
      found.set(culprit, { host: culprit, failure: told.failure });
    }
  };
  const hands = deal(hosts, count);
  await mapConcurrently(hands, hands.length, hand => run(hand, memory / count, false));
  for (const host of exhausted) {
    await run([host], memory, true);
  }
  return { hosts: hosts.flatMap(host => found.get(host) ?? []), files };
}

function isMemory(failure: NixFailure): boolean {
  return failure.message.includes('ran out of memory');
}
