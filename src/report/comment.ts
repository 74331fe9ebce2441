/** The pull request that is commented on, for GitHub's REST API. */
export interface CommentPlace {
  /** `GITHUB_API_URL`, as `https://api.github.com`. */
  api: string;
  /** `owner/name`. */
  repository: string;
  /** The number of the pull request. */
  number: number;
  /** With `pull-requests: write`. */
  token: string;
  /** Distinguishes this step's comment from those of other steps, as the names of the workflow and the job. */
  key: string;
}

/** The maximum size of a comment (docs.github.com/rest/issues/comments: 65536 characters), less the marker. */
export const commentLimit = 60_000;

const pageSize = 100;

/**
 * Maintains one comment on a pull request: creates it the first time, updates it afterwards.
 *
 * @throws Error with GitHub's response. The token of a fork has no permission to write, which is a 403.
 */
export async function keepComment(markdown: string, place: CommentPlace): Promise<void> {
  const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
  const comments = `/repos/${place.repository}/issues/${place.number}/comments`;
  const body = JSON.stringify({ body: `${marker}\n${markdown}` });
  const earlier = await findComment(comments, marker, place);
  if (earlier === null) await request('POST', comments, place, body);
  else await request('PATCH', `/repos/${place.repository}/issues/comments/${earlier}`, place, body);
}

async function findComment(comments: string, marker: string, place: CommentPlace): Promise<number | null> {
  for (let page = 1; ; page++) {
    const found = (await request('GET', `${comments}?per_page=${pageSize}&page=${page}`, place)) as {
      id: number;
      body?: string;
    }[];
    const own = found.find(({ body }) => body?.startsWith(marker));
    if (own !== undefined) return own.id;
    if (found.length < pageSize) return null;
  }
}

async function request(method: string, path: string, { api, token }: CommentPlace, body?: string): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'nix-ferry',
      'x-github-api-version': '2022-11-28',
    },
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`GitHub responded to ${method} ${path} with ${response.status}: ${text.slice(0, 200)}`);
  return text === '' ? null : JSON.parse(text);
}
