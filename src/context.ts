import type { Place } from './errors.ts';
import type { Exec, ExecOptions, ExecResult } from './exec.ts';

/** What a stage logs: as workflow commands in the action, to standard error on the command line. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  notice(message: string, where?: Place): void;
  warning(message: string, where?: Place): void;
  error(message: string, where?: Place): void;
  /** Masks this text in everything that is logged from now on. */
  secret(text: string): void;
}

/** The stages of a run, in their order. */
export type Stage = 'setup' | 'plan' | 'build' | 'archive' | 'preview' | 'deploy' | 'report';

/** An event in the progress of one host; `text` is a few words for a person ("copying 12 of 40 paths"). */
export interface HostEvent {
  host: string;
  stage: Stage;
  state: 'waiting' | 'running' | 'done' | 'failed';
  text: string;
}

/** A stage begins (`running`) or has ended (`done`), also after a failure. */
export interface StageEvent {
  stage: Stage;
  state: 'running' | 'done';
}

/**
 * Runs a short command that answers a question, such as `git rev-parse` or `ssh -G`: one that needs no input, no
 * cancellation and no output while it runs. Its time limit is `queryLimit` of time-limits.ts.
 *
 * @throws CommandError as `Exec` does.
 */
export type Query = (
  command: string,
  args: readonly string[],
  options?: Pick<ExecOptions, 'cwd' | 'env' | 'allow'>,
) => Promise<ExecResult>;

/** What every stage gets besides its own data. */
export interface Context {
  exec: Exec;
  query: Query;
  log: Log;
  /** Must not throw and must return at once. */
  progress(event: HostEvent | StageEvent): void;
  /** Aborted if the run is cancelled: stages start no further work and finish what must not be left half done. */
  signal: AbortSignal;
  /** A directory for this run, mode 0700, on a real disk; the entry removes it at the end. */
  scratch: string;
  /** The environment variables of the entry, without its inputs. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** One directory that can be saved under a key and restored. Its methods may throw; callers turn this into a warning. */
export interface CachePort {
  /** Absolute and the same in every run, because it is part of what identifies an entry. */
  directory: string;
  /** Restores the entry named `key`, else the newest one that begins with one of `prefixes`. @returns its key, or null */
  restore(key: string, prefixes: readonly string[]): Promise<string | null>;
  /** @returns whether this run made an entry of that name; an entry is never overwritten. */
  save(key: string): Promise<boolean>;
  /** Whether later runs may use what this run saves: false for pull requests, for example. */
  trusted: boolean;
}
