import type { Stage } from '../context.ts';
import { isFailure, type Outcome, type OutcomeKind } from '../deploy/outcome.ts';
import { isFailedPreview, type Preview } from '../preview/preview.ts';
import type { Run } from './run.ts';

/** Whether a run succeeded, and which hosts failed in it. */
export interface Verdict {
  ok: boolean;
  failures: HostFailure[];
}

export interface HostFailure {
  host: string;
  stage: Stage;
  /** The kind of outcome; null when the host failed before anything was done on its target. */
  outcome: OutcomeKind | null;
  /** One or two sentences. */
  why: string;
  file: string | null;
  line: number | null;
  column: number | null;
  /** What a program printed about it; empty when nothing is known. */
  log: string;
}

/** A run fails when a host could not be evaluated or built, when an outcome is a failure, or when an error ended the run. */
export function verdict(run: Run): Verdict {
  const failures: HostFailure[] = [
    ...(run.fleet?.failures ?? []).map(({ message, trace, ...where }) => ({
      ...{ stage: 'plan' as const, outcome: null, why: message, log: trace },
      ...where,
    })),
    ...run.built.flatMap(buildFailure),
    ...run.previews.filter(isFailedPreview).map(previewFailure),
    ...run.outcomes.filter(isFailure).map(deployFailure),
  ];
  return { ok: run.error === null && failures.length === 0, failures };
}

const nowhere = { file: null, line: null, column: null };

function buildFailure(built: Run['built'][number]): HostFailure[] {
  if (built.ok) return [];
  const { message, log, place } = built.failure;
  return [{ host: built.host.name, stage: 'build', outcome: null, why: message, log, ...(place ?? nowhere) }];
}

function previewFailure({ host, message }: Preview & { known: false }): HostFailure {
  return { host, stage: 'preview', outcome: null, why: message, log: '', ...nowhere };
}

function deployFailure({ host, outcome, message, log = '' }: Outcome): HostFailure {
  return { host, stage: 'deploy', outcome, why: message, log, ...nowhere };
}

const kinds: Partial<Record<Stage, string>> = { plan: 'not evaluated', build: 'not built', preview: 'not compared' };

/** What is said in place of an outcome about a host that failed before the deployment. */
export function failureKind({ outcome, stage }: Pick<HostFailure, 'outcome' | 'stage'>): string {
  return outcome ?? kinds[stage] ?? 'failed';
}
