import type { Pin } from '../fleet.ts';
import type { Format } from '../formats/index.ts';
import type { EvaluatedHost } from '../host.ts';

/** What is known of a source from its evaluation. The plan is made from it, and the plan cache keeps it. */
export interface SourceEvaluation extends HostRecords {
  format: Format;
  /** Why the format was chosen, in words; null if the user chose it. */
  detected: string | null;
  /** The file that the evaluation starts from, relative to the repository's root. */
  main: string;
  /** Names of all hosts. */
  names: string[];
  /** What the format's adapter reports besides them. */
  notes: Record<string, unknown>;
}

export interface HostRecords {
  /** Host → its evaluation. */
  answers: Record<string, EvaluatedHost>;
  /** Host → its target and tags; also of hosts of which nothing else was evaluated. */
  deployments: Record<string, unknown>;
  /** Path of a nixpkgs → how it is pinned. */
  pins: Record<string, Pin>;
}

/** Without a prototype: a host may have the name `constructor`. */
export function emptyRecords(): HostRecords {
  return { answers: Object.create(null), deployments: Object.create(null), pins: Object.create(null) };
}

/** The evaluation with further records, which replace older ones of the same name. */
export function extended(evaluation: SourceEvaluation, more: Partial<HostRecords>): SourceEvaluation {
  const { answers, deployments, pins } = emptyRecords();
  return {
    ...evaluation,
    answers: Object.assign(answers, evaluation.answers, more.answers),
    deployments: Object.assign(deployments, evaluation.deployments, more.deployments),
    pins: Object.assign(pins, evaluation.pins, more.pins),
  };
}
