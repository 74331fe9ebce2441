import type { Place } from './errors.ts';
import type { Exec, ExecOptions, ExecResult } from './exec.ts';

/** What a stage may say. The action writes it as workflow commands, the command line to standard error. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  notice(message: string, where?: Place): void;
  warning(message: string, where?: Place): void;
  error(message: string, where?: Place): void;
  /** From now on this text is masked in whatever is logged. */
  secret(text: string): void;
}

/** The stages a host walks through, in their order. */
export type Stage = 'setup' | 'plan' | 'build' | 'archive' | 'deploy' | 'report';

/** One thing that happened to one host; `text` is a few words for a person ("copying 12 of 40 paths"). */
export interface HostEvent {
  host: string;
  stage: Stage;
  state: 'waiting' | 'running' | 'done' | 'failed';
  text: string;
}

/**
 * Runs a short command that answers a question, such as `git rev-parse` or `ssh -G`: one that needs no input, no timeout,
 * no cancellation and no output while it runs.
 *
 * @throws CommandError as `Exec` does.
 */
export type Query = (
  command: string,
  args: readonly string[],
  options?: Pick<ExecOptions, 'cwd' | 'env' | 'allow'>,
) => Promise<ExecResult>;

/** What each stage is given besides its own data. */
export interface Context {
  exec: Exec;
  query: Query;
  log: Log;
  /** Must not throw and must return at once. */
  progress(event: HostEvent): void;
  /** Aborted when the run is cancelled; stages stop starting work and end what must not be left half-done. */
  signal: AbortSignal;
  /** A directory of this run, mode 0700, on a real disk, that the entry removes at the end. */
  scratch: string;
}

/** One directory that can be saved under a key and brought back. Its methods may throw: trouble is a warning. */
export interface CachePort {
  /** Absolute, the same in every run: it is part of what identifies an entry. */
  directory: string;
  /** Brings back the entry named `key`, else the newest that begins with one of `prefixes`; its key, or null. */
  restore(key: string, prefixes: readonly string[]): Promise<string | null>;
  /** @returns whether there is an entry of that name now that this run made; an entry is never written over. */
  save(key: string): Promise<boolean>;
  /** Whether this run may write what later runs will use: false for pull requests and the like. */
  trusted: boolean;
}
