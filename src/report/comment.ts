/** Where a comment is kept: a pull request, by GitHub's REST API. */
export interface CommentPlace {
  /** `GITHUB_API_URL`, as `https://api.github.com`. */
  api: string;
  /** `owner/name`. */
  repository: string;
  /** The pull request's. */
  number: number;
  /** With `pull-requests: write`. */
  token: string;
  /** Tells this step's comment from those of other steps, as the workflow's and the job's name. */
  key: string;
}

/** What a comment may have (docs.github.com/rest/issues/comments: 65536 characters), less the marker. */
export const commentLimit = 60_000;

const pageSize = 100;

/**
 * Keeps one comment on a pull request: writes it the first time, changes it afterwards.
 *
 * @throws Error that says what GitHub answered; a fork's token may not write, which is a 403.
 */
export async function keepComment(markdown: string, place: CommentPlace): Promise<void> {
  const marker = `<!-- nix-ferry ${place.key.replaceAll(/[^\w /.-]/g, '_').replaceAll('--', '__')} -->`;
  const comments = `/repos/${place.repository}/issues/${place.number}/comments`;
  const body = JSON.stringify({ body: `${marker}\n${markdown}` });
  const earlier = await findComment(comments, marker, place);
  if (earlier === null) await ask('POST', comments, place, body);
  else await ask('PATCH', `/repos/${place.repository}/issues/comments/${earlier}`, place, body);
}

async function findComment(comments: string, marker: string, place: CommentPlace): Promise<number | null> {
  for (let page = 1; ; page++) {
    const found = (await ask('GET', `${comments}?per_page=${pageSize}&page=${page}`, place)) as {
      id: number;
      body?: string;
    }[];
    const own = found.find(({ body }) => body?.startsWith(marker));
    if (own !== undefined) return own.id;
    if (found.length < pageSize) return null;
  }
}

async function ask(method: string, path: string, { api, token }: CommentPlace, body?: string): Promise<unknown> {
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
  if (!response.ok) throw new Error(`GitHub answered ${method} ${path} with ${response.status}: ${text.slice(0, 200)}`);
  return text === '' ? null : JSON.parse(text);
}
