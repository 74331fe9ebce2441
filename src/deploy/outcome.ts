/** What to do on the targets; NixOS's own words. */
export const modes = ['none', 'dry-activate', 'test', 'boot', 'switch'] as const;
export type Mode = (typeof modes)[number];

/** How a host's deployment ended, from best to worst. */
export const outcomeKinds = [
  'skipped',
  'unchanged',
  'planned',
  'deployed',
  'needs-reboot',
  'degraded',
  'refused',
  'rolled-back',
  'unreachable',
  'failed',
] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/**
 * What is true of one host after the run.
 *
 * - `skipped`: nothing to do on a target (no target, build only, held back by the roll-out), see `message`.
 * - `unchanged`: the target already ran this toplevel and its profile named it.
 * - `planned`: dry-activate said what would happen.
 * - `deployed`: activated, and for `switch` and `boot` the profile names it.
 * - `needs-reboot`: deployed, and the target asks for a reboot (exit 100 of switch-to-configuration).
 * - `degraded`: the switch happened, some units failed (exit 4).
 * - `refused`: the target, or we, said no before anything changed.
 * - `rolled-back`: activated, found wanting, and brought back to `before`.
 * - `unreachable`: no connection; the target is as it was.
 * - `failed`: anything else; `message` says what is known of the target's state.
 */
export interface Outcome {
  host: string;
  outcome: OutcomeKind;
  mode: Mode;
  /** Toplevel the target ran before; null when it could not be asked. */
  before: string | null;
  /** Toplevel the target runs now; null when unknown. */
  after: string | null;
  /** One sentence for the report. */
  message: string;
  /** What switch-to-configuration printed of units, sorted by what happens to them. */
  units: UnitChanges;
  /** Seconds. */
  seconds: number;
  /** What switch-to-configuration printed, its last 16 KiB; only where the outcome is none that was hoped for. */
  log?: string;
}

/** Unit names as switch-to-configuration prints them ("would restart the following units: …"). */
export interface UnitChanges {
  stop: string[];
  start: string[];
  restart: string[];
  reload: string[];
  /** Changed, but left running in their old version ("NOT restarting the following changed units: …"). */
  kept: string[];
  failed: string[];
}
