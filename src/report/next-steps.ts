import { outcomes } from '../deploy/outcome.ts';
import type { Run } from './run.ts';
import { failureKind, type HostFailure, verdict } from './verdict.ts';

/** What a person should do next about hosts of one kind. */
export interface NextStep {
  /** `unreachable`, `not built`, … */
  kind: string;
  next: string;
  /** A command that helps with that; null: none. */
  command: string | null;
}

/** What a person should do next, for each kind of outcome or failure that occurred and asks for something. */
export function nextSteps(run: Run): NextStep[] {
  const kinds = new Set(run.outcomes.map(({ outcome }) => outcome));
  const ofOutcomes = [...kinds].flatMap((kind): NextStep[] => {
    const { next } = outcomes[kind];
    return next === null ? [] : [{ kind, next, command: null }];
  });
  return [...repairs(verdict(run).failures), ...ofOutcomes];
}

/** For hosts that failed before anything was done on their targets: once for failures of one sort. */
function repairs(failures: readonly HostFailure[]): NextStep[] {
  const steps = new Map<string, NextStep>();
  for (const failure of failures) {
    const { stage, outcome, file } = failure;
    const sort = `${stage} ${stage === 'build' && file !== null}`;
    const repair = outcome === null ? repairOf(failure) : null;
    if (repair !== null && !steps.has(sort)) steps.set(sort, { kind: failureKind(failure), ...repair });
  }
  return [...steps.values()];
}

function repairOf({ host, stage, file }: HostFailure): Pick<NextStep, 'next' | 'command'> | null {
  const command = (name: string): string => `ferry ${name} --hosts ${host}`;
  switch (stage) {
    case 'plan':
      return { next: 'Correct the configuration, then check it with:', command: command('plan') };
    case 'build':
      // Only a wrong hash has a place.
      if (file !== null)
        return { next: 'If the download is what it should be, write its hash into the source.', command: null };
      return { next: 'Read the log of the build. Reproduce it with:', command: command('build') };
    case 'preview':
      return {
        next: 'Nothing was changed. Check the target, its user and the key, then run:',
        command: command('preview'),
      };
    default:
      return null;
  }
}
