import { type GitHub, type GitHubAccess, openGitHub, ownerAndRepo } from '../github.ts';
import type { Change } from '../preview/change.ts';
import { explainAnswer, loginOf } from './comment.ts';
import { decodeToplevels } from './previewed-block.ts';

/** What the comments of a merged pull request have shown of a commit that is deployed. */
export interface Previewed {
  /** The pull request's number; null if there is none whose comments carry toplevels. */
  pull: number | null;
  /** Host → the toplevels that were shown. */
  toplevels: Record<string, string[]>;
  /** The comments that showed them. */
  comments: number[];
}

/** The same, compared with what is deployed. */
export interface ComparedPreview extends Previewed {
  /** Host → what differs from the system that was shown, for those hosts that differ and of which both systems are known. */
  changes: Record<string, Change>;
}

/** Where to look. The token needs `pull-requests: read`. */
export interface PreviewedPlace extends GitHubAccess {
  /** `owner/name`. */
  repository: string;
}

/**
 * Finds what was previewed on the merged pull request that a commit belongs to. Only comments of this token's own user count:
 * anybody may write one that looks like it.
 *
 * @throws Error that says what GitHub answered.
 */
export async function findPreviewed(commit: string, place: PreviewedPlace): Promise<Previewed> {
  const github = await openGitHub(place);
  const repository = ownerAndRepo(place.repository);
  try {
    const which = { ...repository, commit_sha: commit, per_page: 100 };
    const { data: pulls } = await github.rest.repos.listPullRequestsAssociatedWithCommit(which);
    for (const { number } of pulls.filter(({ merged_at }) => merged_at !== null)) {
      const found = await shownIn(number, place, github);
      if (found.comments.length > 0) return { pull: number, ...found };
    }
  } catch (error) {
    throw explainAnswer(error);
  }
  return { pull: null, toplevels: {}, comments: [] };
}

async function shownIn(number: number, place: PreviewedPlace, github: GitHub): Promise<Omit<Previewed, 'pull'>> {
  const which = { ...ownerAndRepo(place.repository), issue_number: number, per_page: 100 };
  const comments = await github.paginate(github.rest.issues.listComments, which);
  const carrying = comments.flatMap(({ id, user, body }) => {
    const shown = decodeToplevels(body ?? '');
    return shown === null ? [] : [{ id, login: user?.login, ...shown }];
  });
  const found: Omit<Previewed, 'pull'> = { toplevels: {}, comments: [] };
  if (carrying.length === 0) return found;
  const login = await loginOf(github);
  for (const { id, toplevels } of carrying.filter(comment => comment.login === login)) {
    found.comments.push(id);
    for (const [host, toplevel] of Object.entries(toplevels)) {
      found.toplevels[host] = [...(found.toplevels[host] ?? []), toplevel];
    }
  }
  return found;
}

/** The characters that a comment may have (docs.github.com/rest/issues/comments). */
const largestComment = 65_536;

/**
 * Appends the outcome of a deployment to the comments that previewed it. A repeated run replaces what it appended before.
 *
 * @param run its number.
 * @throws Error that says what GitHub answered.
 */
export async function appendOutcome(
  markdown: string,
  { comments }: Previewed,
  run: number,
  place: PreviewedPlace,
): Promise<void> {
  const github = await openGitHub(place);
  const repository = ownerAndRepo(place.repository);
  const [start, end] = [`<!-- nix-ferry-outcome ${run} -->`, `<!-- nix-ferry-outcome-end ${run} -->`];
  try {
    for (const comment_id of comments) {
      const { data } = await github.rest.issues.getComment({ ...repository, comment_id });
      const before = withoutPart(data.body ?? '', start, end);
      const body = `${before.trimEnd()}\n\n${start}\n${markdown}\n${end}\n`;
      if (body.length > largestComment) continue;
      await github.rest.issues.updateComment({ ...repository, comment_id, body });
    }
  } catch (error) {
    throw explainAnswer(error);
  }
}

function withoutPart(text: string, start: string, end: string): string {
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  return from === -1 || to < from ? text : text.slice(0, from) + text.slice(to + end.length);
}
