import type { Evaluator, NixFailure } from './evaluation/adapter.ts';
import type { Repository } from './repository.ts';

/** The folder or files to plan, the inputs that say how to read them, and what evaluates them. */
export interface Source extends Evaluator {
  /** Absolute path of the folder that holds the configuration. */
  folder: string;
  /** The files named by the input `source`, relative to `folder`; empty: find them by their usual names. */
  files: readonly string[];
  /** Null outside Git. */
  repository: Repository | null;
  /** Absolute path of the repository's root; outside Git that of the folder itself. */
  root: string;
  inputs: SourceInputs;
  /**
   * The error for an evaluation that failed as a whole.
   *
   * @param main the file that the evaluation started from, relative to `folder`.
   */
  errorFor(failure: NixFailure, main: string): Error;
}

/** The inputs that a source may depend on; `config.ts` documents them. */
export interface SourceInputs {
  attribute: string | null;
  arguments: Readonly<Record<string, unknown>>;
  system: string | null;
  nixpkgs: string | null;
  nixpkgsPin: 'error' | 'warn';
  nixPath: string | null;
  allowedPaths: readonly string[];
}
