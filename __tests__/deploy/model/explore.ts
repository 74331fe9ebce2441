import { type Protocol, type State, start, steps } from './activation.ts';

/** What an exploration found: how much, and the first way to each kind of violation. */
export interface Exploration {
  states: number;
  /** What was violated → the steps that lead there. */
  violations: Map<string, string[]>;
}

/** Tries every order of steps. Stops early when `first` is set and something was found. */
export function explore(protocol: Protocol, first = false): Exploration {
  const initial = start(protocol);
  const known = new Map<string, { from: string; step: string }>();
  const violations = new Map<string, string[]>();
  const key = (state: State): string => JSON.stringify(state);
  let level: State[] = [initial];
  known.set(key(initial), { from: '', step: '' });
  const trace = (at: string): string[] => {
    const way: string[] = [];
    for (let entry = known.get(at); entry !== undefined && entry.from !== ''; entry = known.get(entry.from))
      way.unshift(entry.step);
    return way;
  };
  const check = (what: string | null, at: string): void => {
    if (what !== null && !violations.has(what)) violations.set(what, trace(at));
  };
  const enters = new Map<string, number>();
  const leaves = new Map<string, string[]>();
  while (level.length > 0) {
    const next: State[] = [];
    for (const state of level) {
      const from = key(state);
      check(always(state), from);
      const possible = steps(state, protocol);
      if (!possible.some(({ disaster }) => !disaster)) check(atTheEnd(state), from);
      for (const step of possible) {
        const id = key(step.next);
        if (!step.disaster) {
          enters.set(id, (enters.get(id) ?? 0) + 1);
          leaves.set(from, [...(leaves.get(from) ?? []), id]);
        }
        if (known.has(id)) continue;
        known.set(id, { from, step: step.name });
        next.push(step.next);
      }
      if (first && violations.size > 0) return { states: known.size, violations };
    }
    level = next;
  }
  check(...endless([...known.keys()], enters, leaves));
  return { states: known.size, violations };
}

/** A state to which steps that are no disasters lead back: what is left when all states without such a way are removed. */
function endless(
  states: string[],
  enters: Map<string, number>,
  leaves: Map<string, string[]>,
): [string | null, string] {
  const free = states.filter(id => !enters.has(id));
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    for (const next of leaves.get(id) ?? []) {
      const left = (enters.get(next) ?? 0) - 1;
      enters.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  const [circle] = [...enters].find(([, left]) => left > 0) ?? [];
  return [circle === undefined ? null : 'steps go on for ever', circle ?? ''];
}

/** What must hold at every moment. */
function always({ profile, boot, confirmed, untrue }: State): string | null {
  for (const system of [profile, boot]) {
    if ((system === 'a' || system === 'b') && !confirmed[system]) return 'committed without a confirmation';
  }
  return untrue === '' ? null : 'a report contradicts the state';
}

/** What must hold when nothing happens any more: every timer has fired, every process has ended. */
function atTheEnd(state: State): string | null {
  const { running, profile, boot, lock, todo, result, failures } = state;
  if (lock !== null || Object.values(todo).some(ops => ops.length > 0)) return 'something waits for ever';
  if (running === 'mixed') return 'the machine is between two systems';
  // A way back that failed itself cannot make them agree, and says so.
  const stuck = failures === 0 && Object.values(result).includes('stuck');
  if (!stuck && (running !== profile || profile !== boot)) return 'running system, profile and boot default disagree';
  return null;
}
