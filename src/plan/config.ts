import type { SharedPlans } from './cache/actions-cache.ts';
import type { Format } from './fleet.ts';

/** What the plan stage is asked for. */
export interface PlanConfig {
  /** Absolute path of the folder that holds the configuration. */
  source: string;
  /** Files in `source`, relative to it, for the formats that are one or several files; empty: found by their usual names. */
  files?: readonly string[];
  format: 'auto' | Format;
  /** Attribute path, for the formats that need one. */
  attribute: string | null;
  /** Arguments of a NixOps network or an expression that is a function, as `--arg` and `--argstr` give them; JSON's values. */
  arguments?: Readonly<Record<string, unknown>>;
  /** Names, globs (`*`, `?`), `@tag`; `!x` leaves out. Empty: all hosts. */
  hosts: readonly string[];
  /** Host → `user@address:port` or a mapping; stands above what the source says. */
  targets: Readonly<Record<string, unknown>>;
  /** A pin of nixpkgs for `configuration`; null: found beside it. */
  nixpkgs: string | null;
  /** What to do with a nixpkgs that isn't pinned. */
  nixpkgsPin: 'error' | 'warn';
  /** The caller's NIX_PATH, seen only where `nixpkgsPin` is `warn`; null: Nix's own default. */
  nixPath?: string | null;
  /** The system of a plain configuration that doesn't say it; null: found. */
  system: string | null;
  /** Where plans of earlier runs are kept: a directory, or what runs on several machines share; null: keep none. */
  planCache: string | SharedPlans | null;
  /** At most so many evaluators at once; null: as many as processors, hosts and memory make sensible. */
  jobs?: number | null;
  /** Bytes that all evaluators together may use; null: what the machine has available. */
  memory?: number | null;
}
