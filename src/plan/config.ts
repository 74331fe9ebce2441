import type { SharedPlans } from './cache/actions-cache.ts';
import type { Format } from './formats/index.ts';

/** Configuration of the plan stage. */
export interface PlanConfig {
  /** Absolute path of the folder that contains the configuration. */
  source: string;
  /** Files to start from, relative to `source`; empty: find them by their usual names. */
  files?: readonly string[];
  format: 'auto' | Format;
  /** Attribute path, for formats that need one. */
  attribute: string | null;
  /** Arguments for a NixOps network or an expression that is a function, like `--arg` and `--argstr`; JSON values. */
  arguments?: Readonly<Record<string, unknown>>;
  /** Names, globs (`*`, `?`), `@tag`; `!x` excludes. Empty: all hosts. */
  hosts: readonly string[];
  /** Host → `user@address:port` or a mapping; overrides the source. */
  targets: Readonly<Record<string, unknown>>;
  /** A pin of nixpkgs; null: the one next to the source, for formats that do not name a nixpkgs themselves. */
  nixpkgs: string | null;
  /** How to treat an unpinned nixpkgs. */
  nixpkgsPin: 'error' | 'warn';
  /** The caller's NIX_PATH, used only if `nixpkgsPin` is `warn`; null: Nix's default. */
  nixPath?: string | null;
  /** The system of hosts whose configuration does not define it. */
  system: string | null;
  /** Where plans are cached: in a directory, or shared by runs on different machines; null: nowhere. */
  planCache: string | SharedPlans | null;
  /** Maximum number of evaluators at once; null: as many as processors, hosts and memory justify. */
  jobs?: number | null;
  /** Bytes that all evaluators together may use; null: the machine's free memory. */
  memory?: number | null;
}
