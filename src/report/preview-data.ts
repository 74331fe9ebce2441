import type { Stage } from '../context.ts';
import { bootedParts } from '../deploy/booted.ts';
import { type OutcomeKind, outcomes } from '../deploy/outcome.ts';
import type { Change } from '../preview/change.ts';
import { type Preview, reasonsUnknown } from '../preview/preview.ts';
import type { Run } from './run.ts';
import { listOf, matching, number, objectOf, one, orNull, type Shape, textOf, truth } from './shape.ts';
import { type HostFailure, verdict } from './verdict.ts';

/** The complete result of a preview: the content of `preview.json` in its artifact. */
export interface PreviewData {
  version: 1;
  /** The number of the pull request; null if the run was for none. */
  pull: number | null;
  /** The head of the pull request's branch; null if it is not known. */
  commit: string | null;
  previews: Preview[];
  failures: HostFailure[];
  /** What ended the run early; null if it completed. */
  error: { message: string; cure: string | null } | null;
}

/** What the data of a preview is about. */
export type PreviewSubject = Pick<PreviewData, 'pull' | 'commit'>;

/** The name of an artifact with `preview.json` begins with this; the job's id follows. */
export const previewArtifact = 'nix-ferry-preview-';

/** The only file of the artifact. */
export const previewFile = 'preview.json';

export function previewData(run: Run, { pull, commit }: PreviewSubject): PreviewData {
  const error = run.error === null ? null : { message: run.error.message, cure: run.error.cure };
  return { version: 1, pull, commit, previews: run.previews, failures: verdict(run).failures, error };
}

const name = textOf(1_000);
const sentence = textOf(20_000);
const names = listOf(name, 100_000);
const system = matching(/^\/nix\/store\/[\w.+?=-]{1,300}$/, 'a store path');

const entry = objectOf({ name, versions: listOf(name, 1_000), bytes: number });
const packages = objectOf({
  added: listOf(entry, 100_000),
  removed: listOf(entry, 100_000),
  updated: listOf(objectOf({ name, from: listOf(name, 1_000), to: listOf(name, 1_000), bytes: number }), 100_000),
  rebuilt: objectOf({ names, bytes: number }),
  others: objectOf({ added: number, removed: number, bytes: number }),
  bytes: objectOf({ before: number, after: number }),
});

const units = objectOf({
  ...{ stop: names, start: names, restart: names, reload: names, kept: names, fresh: names, swapOff: names },
  ...{ restartsSystemd: truth, statesKnown: truth, unknown: listOf(sentence, 100), error: orNull(sentence) },
});

const nameChange = orNull(objectOf({ added: names, removed: names }));

const change: Shape<Change> = objectOf<Change>({
  before: system,
  after: system,
  units,
  packages: orNull(packages),
  reboot: listOf(
    objectOf<Change['reboot'][number]>({
      part: one(...Object.values(bootedParts), 'switch inhibitor'),
      text: sentence,
      pending: truth,
    }),
    100,
  ),
  firewall: objectOf({ opened: names, closed: names, turned: orNull(one('on', 'off')) }),
  users: nameChange,
  groups: nameChange,
  etc: listOf(
    objectOf({
      name,
      kind: one('added', 'removed', 'changed'),
      rebuilt: truth,
      diff: orNull(textOf(200_000)),
    }),
    100_000,
  ),
  secrets: orNull(objectOf({ added: names, removed: names, changed: names, unknown: names })),
});

const fromTarget = objectOf({
  host: name,
  known: one(true),
  comparedWith: one('target'),
  change,
  machine: objectOf({ kernel: name, bootId: name, profile: orNull(name), boot: orNull(name) }),
});
const commit = matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'a commit');
const fromBase = objectOf({
  host: name,
  known: one(true),
  comparedWith: one('base'),
  base: commit,
  change,
  instead: orNull(sentence),
});
const unknown = objectOf({ host: name, known: one(false), why: one(...reasonsUnknown), message: sentence });

const preview: Shape<Preview> = (value, place) => {
  const { known, comparedWith } = (value ?? {}) as { known?: unknown; comparedWith?: unknown };
  if (known !== true) return unknown(value, place);
  return comparedWith === 'base' ? fromBase(value, place) : fromTarget(value, place);
};

const stages: readonly Stage[] = ['setup', 'plan', 'build', 'archive', 'preview', 'deploy', 'report'];
const failure = objectOf<HostFailure>({
  host: name,
  stage: one(...stages),
  outcome: orNull(one(...(Object.keys(outcomes) as OutcomeKind[]))),
  why: sentence,
  file: orNull(name),
  line: orNull(number),
  column: orNull(number),
  log: textOf(100_000),
});

const data = objectOf<PreviewData>({
  version: one(1),
  pull: orNull(number),
  commit: orNull(commit),
  previews: listOf(preview, 10_000),
  failures: listOf(failure, 10_000),
  error: orNull(objectOf({ message: sentence, cure: orNull(sentence) })),
});

/**
 * Reads the content of `preview.json`, which anybody may have written.
 *
 * @throws ShapeError if it is not the result of a preview.
 */
export function readPreviewData(value: unknown): PreviewData {
  return data(value, '');
}
