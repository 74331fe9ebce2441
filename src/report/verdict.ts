import type { Stage } from '../context.ts';
import { type OutcomeKind, outcomeKinds } from '../deploy/outcome.ts';
import type { Run } from './run.ts';

/** Whether the run did what was asked, and which hosts it was not so for. */
export interface Verdict {
  ok: boolean;
  failures: HostFailure[];
}

export interface HostFailure {
  host: string;
  stage: Stage;
  /** The outcome's kind; null when the host did not come as far as its target. */
  outcome: OutcomeKind | null;
  /** One or two sentences. */
  why: string;
  file: string | null;
  line: number | null;
  column: number | null;
  /** What a program printed of it; empty when nothing is kept. */
  log: string;
}

/**
 * Judges a run: it fails when a host could not be evaluated or built, when an outcome is worse than `allowed`, or when
 * the run ended before its time.
 */
export function verdict(run: Run, allowed: OutcomeKind = 'needs-reboot'): Verdict {
  const nowhere = { file: null, line: null, column: null };
  const failures: HostFailure[] = [
    ...(run.fleet?.failures ?? []).map(({ host, message, trace, file, line, column }) => ({
      ...{ host, stage: 'plan' as const, outcome: null, why: message, log: trace },
      ...{ file, line, column },
    })),
    ...run.built.flatMap(built =>
      built.ok
        ? []
        : [
            {
              host: built.host.name,
              stage: 'build' as const,
              outcome: null,
              why: built.failure.message,
              log: built.failure.log,
              ...nowhere,
            },
          ],
    ),
    ...run.outcomes
      .filter(({ outcome }) => outcomeKinds.indexOf(outcome) > outcomeKinds.indexOf(allowed))
      .map(({ host, outcome, message, log = '' }) => ({
        host,
        stage: 'deploy' as const,
        outcome,
        why: message,
        log,
        ...nowhere,
      })),
  ];
  return { ok: run.error === null && failures.length === 0, failures };
}
