import type { Archive } from '../archive/archive.ts';
import type { Built } from '../build/built.ts';
import type { Stage } from '../context.ts';
import type { Mode, Outcome } from '../deploy/outcome.ts';
import type { Place } from '../errors.ts';
import type { Fleet } from '../plan/fleet.ts';

/** All that a run found and did, as far as it came: plain data, printable as JSON. */
export interface Run {
  mode: Mode;
  /** Null when the plan stage was not reached or is not part of this run. */
  fleet: Fleet | null;
  built: Built[];
  archives: Archive[];
  outcomes: Outcome[];
  /** Seconds each stage took; a stage that did not run is not there. */
  timings: Partial<Record<Stage, number>>;
  /** What ended the run before its time; null when it walked through. */
  error: { message: string; cure: string | null; where: Place | null } | null;
}
