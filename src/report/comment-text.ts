import { commentLimit } from './comment.ts';
import type { PreviewData } from './preview-data.ts';
import { encodeToplevels } from './previewed-block.ts';
import type { Run } from './run.ts';
import { commentSummary } from './summary.ts';

/** What a comment describes. */
export interface CommentSubject {
  /** The head of the pull request's branch. */
  commit: string | null;
  /** The address of the run, whose job summary has everything. */
  run: string | null;
  /** The address of the complete data as JSON; null if there is none. */
  data: string | null;
}

/**
 * A run as a comment on its pull request: the summary, marked with the commit that it describes. A preview also carries the
 * toplevels of the hosts, hidden, with which a later deployment is compared.
 */
export function commentText(run: Run, subject: CommentSubject): string {
  const commit = knownCommit(subject);
  const previewed = commit !== null && run.previews.length > 0;
  const block = previewed ? encodeToplevels({ commit, toplevels: toplevelsOf(run) }) : null;
  const hidden = block === null ? '' : `\n${block}\n`;
  return withoutMarkers(commentSummary(run, commentLimit - hidden.length, noteOf(subject))) + hidden;
}

/** What a reader of the comment of a fork has to know. */
const forkNote = 'This is what the run of the pull request reported; nobody has checked it.';

/**
 * The comment on the pull request of a fork, from the data that its run saved. It carries no toplevels: the run could claim
 * any, and a deployment would take them for previewed.
 */
export function forkCommentText(data: PreviewData, subject: CommentSubject): string {
  const { previews, failures } = data;
  const error = data.error === null ? null : { ...data.error, where: null };
  const run: Run = {
    ...{ mode: 'preview', fleet: null, built: [], work: null, archives: [], previews, previewed: null, outcomes: [] },
    ...{ timings: {}, timeline: [], address: subject.run, error },
  };
  const note = [noteOf(subject), forkNote].filter(each => each !== null).join(' ');
  return withoutMarkers(commentSummary(run, commentLimit, note, failures));
}

function noteOf(subject: CommentSubject): string | null {
  const commit = knownCommit(subject);
  // GitHub shows the hash as a link to the commit.
  const parts = [
    ...(commit === null ? [] : [`For ${commit}.`]),
    ...(subject.run === null ? [] : [`[All details](${subject.run})`]),
    ...(subject.data === null ? [] : [`[JSON](${subject.data})`]),
  ];
  return parts.length === 0 ? null : parts.join(' ');
}

function knownCommit({ commit }: CommentSubject): string | null {
  return commit !== null && /^[0-9a-f]{40,64}$/.test(commit) ? commit : null;
}

/** A log or a diff in a block of code is shown as it is: it must not look like one of our own hidden comments. */
function withoutMarkers(markdown: string): string {
  return markdown.replaceAll('<!-- nix-ferry', '<!- nix-ferry');
}

function toplevelsOf({ built, previews }: Run): Record<string, string> {
  const listed = new Set(previews.map(({ host }) => host));
  const shown = built.filter(({ host }) => listed.has(host.name));
  return Object.fromEntries(shown.flatMap(one => (one.ok ? [[one.host.name, one.toplevel] as const] : [])));
}
