import { type Change, isSame } from './change.ts';

/** The result of the preview stage for one host. */
export type Preview = KnownPreview | UnknownPreview;

export type KnownPreview = { host: string; known: true; change: Change } & (
  | {
      /** With what the built system was compared: what its target runs. */
      comparedWith: 'target';
      /** What the target says of itself besides. */
      machine: { kernel: string; bootId: string; profile: string | null; boot: string | null };
    }
  | {
      /** With the system that the base commit builds for the host. */
      comparedWith: 'base';
      /** The base commit. */
      base: string;
      /** Why its target was not asked, as a sentence; null if nobody wanted that. */
      instead: string | null;
    }
);

export interface UnknownPreview {
  host: string;
  known: false;
  why: WhyUnknown;
  message: string;
}

/**
 * Why nothing is known of what would change. `not-built`: the report has the reason. `refused` and `failed` fail the job, as
 * there is something to repair; a target that is off does not. `new` and `removed`: the host exists only after, or only before.
 */
export const reasonsUnknown = [
  'not-built',
  'build-only',
  'no-target',
  'no-key',
  'first',
  'unreachable',
  'refused',
  'failed',
  'no-base',
  'new',
  'removed',
] as const;
export type WhyUnknown = (typeof reasonsUnknown)[number];

export function isFailedPreview(preview: Preview): preview is UnknownPreview {
  return !preview.known && (preview.why === 'refused' || preview.why === 'failed');
}

/** Whether the source changes a host: also if it adds or removes it. Null if nothing is known. */
export function wouldChange(preview: Preview): boolean | null {
  if (preview.known) return !isSame(preview.change);
  return preview.why === 'new' || preview.why === 'removed' ? true : null;
}
