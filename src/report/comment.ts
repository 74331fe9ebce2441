import { type GitHub, type GitHubAccess, openGitHub, ownerAndRepo } from '../github.ts';

/** The comment of one step on a pull request. The token needs `pull-requests: write`. */
export interface CommentPlace extends GitHubAccess {
  /** `owner/name`. */
  repository: string;
  /** The pull request's number. */
  number: number;
  /** Distinguishes this step's comment from those of other steps: the names of the workflow and the job. */
  key: string;
}

/** Characters that a comment may have (docs.github.com/rest/issues/comments: 65536), less room for the marker. */
export const commentLimit = 60_000;

/**
 * Creates one comment on a pull request, or updates the one that an earlier run created.
 *
 * @throws Error that says what GitHub answered, such as 403 for the token of a fork, which may not write.
 */
export async function keepComment(markdown: string, place: CommentPlace): Promise<void> {
  const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
  const { owner, repo } = ownerAndRepo(place.repository);
  const body = `${marker}\n${markdown}`;
  const github = await openGitHub(place);
  try {
    const earlier = await findComment(marker, place, github);
    if (earlier === null) await github.rest.issues.createComment({ owner, repo, issue_number: place.number, body });
    else await github.rest.issues.updateComment({ owner, repo, comment_id: earlier, body });
  } catch (error) {
    throw explainAnswer(error);
  }
}

/** An error that says what GitHub answered, if it did. */
export function explainAnswer(error: unknown): unknown {
  const { status, message } = error as { status?: number; message: string };
  return status === undefined ? error : new Error(`GitHub answered with status ${status}: ${message}`);
}

/** Whose token this is: `github-actions[bot]` for that of a job. */
export async function loginOf(github: GitHub): Promise<string> {
  return (await github.graphql<{ viewer: { login: string } }>('{ viewer { login } }')).viewer.login;
}

async function findComment(marker: string, place: CommentPlace, github: GitHub): Promise<number | null> {
  const which = { ...ownerAndRepo(place.repository), issue_number: place.number, per_page: 100 };
  let login: string | null = null;
  for await (const { data } of github.paginate.iterator(github.rest.issues.listComments, which)) {
    // Anybody can write a comment that begins with the marker, and this one would be shown as theirs.
    const marked = data.filter(({ body }) => body?.startsWith(marker));
    if (marked.length === 0) continue;
    login ??= await loginOf(github);
    const own = marked.find(({ user }) => user?.login === login);
    if (own !== undefined) return own.id;
  }
  return null;
}
