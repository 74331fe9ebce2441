import { type OutcomeKind, outcomes } from '../deploy/outcome.ts';
import type { Run } from './run.ts';

/** What a person should do next, for each kind of outcome that occurred and asks for something. */
export function nextSteps(run: Run): { kind: OutcomeKind; next: string }[] {
  const kinds = new Set(run.outcomes.map(({ outcome }) => outcome));
  return [...kinds].flatMap(kind => {
    const { next } = outcomes[kind];
    return next === null ? [] : [{ kind, next }];
  });
}
