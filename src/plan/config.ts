import type { SharedPlans } from './cache/actions-cache.ts';
import type { PlanInputs } from './inputs.ts';
import type { Located } from './locate.ts';

/** The configuration of the plan stage: its inputs, with `source` as it was located on disk, and values from the entry. */
export interface PlanConfig extends Omit<PlanInputs, 'source'>, Located, PlanSurroundings {}

/** Values from the entry about the machine that it runs on. */
export interface PlanSurroundings {
  /** The caller's NIX_PATH, used only if `nixpkgsPin` is `warn`; null: Nix's own default. */
  nixPath: string | null;
  /** Where plans of earlier runs are kept: a directory, or a cache that several machines share; null: nowhere. */
  planCache: string | SharedPlans | null;
  /** Plan those of these hosts that the source defines, in place of those that `hosts` selects. */
  only?: readonly string[];
  /** The most evaluators at once; null: as many as processors, hosts and memory make sensible. */
  jobs?: number | null;
  /** Bytes that all evaluators together may use; null: the machine's free memory. */
  memory?: number | null;
}
