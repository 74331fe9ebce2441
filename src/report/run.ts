import type { Archive } from '../archive/archive.ts';
import type { Built } from '../build/built.ts';
import type { BuildWork } from '../build/work.ts';
import type { Stage } from '../context.ts';
import type { Mode, Outcome } from '../deploy/outcome.ts';
import type { Place } from '../errors.ts';
import type { Fleet } from '../plan/fleet.ts';
import type { Preview } from '../preview/preview.ts';
import type { Span } from '../timeline.ts';
import type { ComparedPreview } from './previewed.ts';

/** Everything that a run found and did until it ended: plain data, printable as JSON. */
export interface Run {
  mode: Mode;
  /** Null when the plan stage was not reached or is not part of this run. */
  fleet: Fleet | null;
  built: Built[];
  /** What Nix built and fetched for that; null when the build stage was not reached or is not part of this run. */
  work: BuildWork | null;
  archives: Archive[];
  /** In the mode `preview`: what each host would change. */
  previews: Preview[];
  /** What the pull request of this deployment has shown; null if nobody asked. */
  previewed: ComparedPreview | null;
  outcomes: Outcome[];
  /** Seconds that each stage took. A stage that did not run is missing. */
  timings: Partial<Record<Stage, number>>;
  /** When each stage ran, and when it worked on each host. */
  timeline: Span[];
  /** The page of this run; null outside of GitHub Actions. */
  address: string | null;
  /** The error that ended the run early; null when it completed. */
  error: { message: string; cure: string | null; where: Place | null } | null;
}
