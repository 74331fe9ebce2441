import type { Change } from './change.ts';

/** The result of the preview stage for one host. */
export type Preview =
  | {
      host: string;
      known: true;
      /** With what the built system was compared: what its target runs. */
      comparedWith: 'target';
      change: Change;
      /** What the target says of itself besides. */
      machine: { kernel: string; bootId: string; profile: string | null; boot: string | null };
    }
  | { host: string; known: false; why: WhyUnknown; message: string };

/**
 * Why nothing is known of what would change. `not-built`: the report has the reason. `refused` and `failed` fail the job, as
 * there is something to repair; a target that is off does not.
 */
export type WhyUnknown =
  | 'not-built'
  | 'build-only'
  | 'no-target'
  | 'no-key'
  | 'first'
  | 'unreachable'
  | 'refused'
  | 'failed';

export function isFailedPreview(preview: Preview): preview is Preview & { known: false } {
  return !preview.known && (preview.why === 'refused' || preview.why === 'failed');
}
