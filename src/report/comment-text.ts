import { commentLimit } from './comment.ts';
import { encodeToplevels } from './previewed-block.ts';
import type { Run } from './run.ts';
import { commentSummary } from './summary.ts';

/** What a comment describes. */
export interface CommentSubject {
  /** The head of the pull request's branch. */
  commit: string | null;
  /** The address of the run, whose job summary has everything. */
  run: string | null;
}

/**
 * A run as a comment on its pull request: the summary, marked with the commit that it describes. A preview also carries the
 * toplevels of the hosts, hidden, with which a later deployment is compared.
 */
export function commentText(run: Run, { commit, run: address }: CommentSubject): string {
  const known = commit !== null && /^[0-9a-f]{40,64}$/.test(commit);
  // GitHub shows the hash as a link to the commit.
  const parts = [...(known ? [`For ${commit}.`] : []), ...(address === null ? [] : [`[All details](${address})`])];
  const block = known && run.previews.length > 0 ? encodeToplevels({ commit, toplevels: toplevelsOf(run) }) : null;
  const hidden = block === null ? '' : `\n${block}\n`;
  return commentSummary(run, commentLimit - hidden.length, parts.length === 0 ? null : parts.join(' ')) + hidden;
}

function toplevelsOf({ built, previews }: Run): Record<string, string> {
  const listed = new Set(previews.map(({ host }) => host));
  const shown = built.filter(({ host }) => listed.has(host.name));
  return Object.fromEntries(shown.flatMap(one => (one.ok ? [[one.host.name, one.toplevel] as const] : [])));
}
