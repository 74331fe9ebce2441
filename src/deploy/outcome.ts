import type { SecretReport } from './secrets/report.ts';
import { noUnits, type UnitChanges } from './units.ts';

/**
 * What to do on the targets: the words of switch-to-configuration; `none`; `preview`, which only asks them; and `secrets`,
 * which activates nothing.
 */
export const modes = ['none', 'preview', 'dry-activate', 'secrets', 'test', 'boot', 'switch'] as const;
export type Mode = (typeof modes)[number];

/** What a kind of outcome means for everything that reports it or reacts to it. */
interface Meaning {
  /** Shown in front of the kind in the job summary. */
  sign: string;
  /** Whether it fails the job and, for a canary, the roll-out. */
  fails: boolean;
  /** Whether it counts towards `max-failures`. */
  countsTowardsMaxFailures: boolean;
  /** Whether the machine is different from before, if only in what it will boot. `compare`: `before` and `after` tell. */
  changed: boolean | 'compare';
  /** Whether the outcome's units are those that would change, not those that did. */
  hypothetical: boolean;
  /** What a person should do next, as a sentence; null: nothing. */
  next: string | null;
}

const good = { fails: false, countsTowardsMaxFailures: false, hypothetical: false, next: null } as const;
const bad = { fails: true, countsTowardsMaxFailures: true, hypothetical: false } as const;

/**
 * The kinds of outcome, from best to worst. To add one, add a row: the type `OutcomeKind` and whatever is said about a kind
 * come from here, so the compiler reports a row that is incomplete.
 */
export const outcomes = {
  /** There was nothing to do on a target (no target, build only, not built, held back by the roll-out): see `message`. */
  skipped: { ...good, sign: '⏭️', changed: false },
  /** The target already ran this toplevel, and its profile and boot loader pointed to it. */
  unchanged: { ...good, sign: '✅', changed: false },
  /** dry-activate reported what would happen. */
  planned: { ...good, sign: '🔍', changed: false, hypothetical: true },
  /** Activated and, for `switch` and `boot`, the profile points to it. */
  deployed: { ...good, sign: '✅', changed: true },
  /** The profile points to it, but only a reboot makes all of it effective: exit code 100, or see booted.ts. */
  'needs-reboot': { ...good, sign: '🔁', changed: true, next: 'Reboot the target to start the new system.' },
  /** The switch happened, but some units failed (exit code 4). */
  degraded: {
    ...bad,
    ...{ sign: '⚠️', changed: true },
    next: 'The new system runs. Check the failed units with `systemctl status`, then fix them and deploy again.',
  },
  /** The target or Nix Ferry refused before anything changed. */
  refused: { ...bad, sign: '⛔', changed: false, next: 'Nothing was changed. Remove the reason, then deploy again.' },
  /** The activation failed or was not confirmed, and the target went back to `before`. */
  'rolled-back': {
    ...bad,
    ...{ sign: '↩️', changed: false },
    next: 'The target is back on its previous system. Fix the new system, then deploy again.',
  },
  /** There was no connection. The target was not changed. */
  unreachable: {
    ...bad,
    // It says nothing about the systems that are rolled out: a laptop that is off must not stop a fleet.
    ...{ sign: '❌', changed: false, countsTowardsMaxFailures: false },
    next: 'Check that the target is running and can be reached over SSH, then deploy again.',
  },
  /** Anything else. `message` says what is known about the state of the target. */
  failed: {
    ...bad,
    ...{ sign: '❌', changed: 'compare' },
    next: 'Check which system the target runs and boots (`readlink -f /run/current-system`) before you deploy again.',
  },
} as const satisfies Record<string, Meaning>;

export type OutcomeKind = keyof typeof outcomes;

/** The result of a deployment to one host. */
export interface Outcome {
  host: string;
  outcome: OutcomeKind;
  mode: Mode;
  /** Toplevel that the target ran before; null when unknown. */
  before: string | null;
  /** Toplevel that the target runs now; null when unknown. */
  after: string | null;
  /** One sentence for the report. */
  message: string;
  /** The units that switch-to-configuration printed, sorted by what happens to them. */
  units: UnitChanges;
  /** What else would change, in its words: "would remove user ‘eve’". */
  others: string[];
  /** What became of the host's secrets; missing if it has none, or if the target was not asked. */
  secrets?: SecretReport;
  /** Seconds. */
  seconds: number;
  /** What switch-to-configuration printed, its last 16 KiB. Only present when the outcome fails the job. */
  log?: string;
}

/** The outcome of a host for which nothing is done on a target; `message` says why. */
export function skipped(host: string, mode: Mode, message: string): Outcome {
  return {
    host,
    outcome: 'skipped',
    mode,
    before: null,
    after: null,
    message,
    units: noUnits(),
    others: [],
    seconds: 0,
  };
}

export function isFailure({ outcome }: Pick<Outcome, 'outcome'>): boolean {
  return outcomes[outcome].fails;
}

/** Whether the machine is, or may be, different from before. */
export function changesMachine({ outcome, before, after }: Pick<Outcome, 'outcome' | 'before' | 'after'>): boolean {
  const { changed } = outcomes[outcome];
  return changed === 'compare' ? before !== after : changed;
}
