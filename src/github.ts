import type { getOctokit } from '@actions/github';

export type GitHub = ReturnType<typeof getOctokit>;

/** What GitHub's REST API is called with. */
export interface GitHubAccess {
  /** `GITHUB_API_URL`, such as `https://api.github.com`. */
  api: string;
  token: string;
}

/** Milliseconds after which a request fails. */
const patience = 30_000;

/**
 * A client of GitHub's REST API. It uses the proxy that the environment names, as downloads do. The library is loaded when
 * it is first needed.
 */
export async function openGitHub({ api, token }: GitHubAccess): Promise<GitHub> {
  const { getOctokit } = await import('@actions/github');
  const client = getOctokit(token, { baseUrl: api, userAgent: 'nix-ferry' });
  client.hook.before('request', options => {
    options.request = { ...options.request, signal: AbortSignal.timeout(patience) };
  });
  return client;
}

/** The names of owner and repository in `owner/name`, as requests take them. */
export function ownerAndRepo(repository: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}
