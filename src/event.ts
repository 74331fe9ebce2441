import { readFileSync } from 'node:fs';

/** The pull request of an event of GitHub. */
export interface PullRequest {
  number: number;
  /** The commit of its branch; null if the event has none. */
  head: string | null;
  /** The commit of the branch that it would be merged into, when the event occurred; null if the event has none. */
  base: string | null;
}

/**
 * The payload of the event that started this run; empty if there is none. Its form is that of GitHub's webhooks
 * (docs.github.com, "Webhook events and payloads").
 */
export function eventOf({ GITHUB_EVENT_PATH }: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  if (GITHUB_EVENT_PATH === undefined) return {};
  try {
    const payload: unknown = JSON.parse(readFileSync(GITHUB_EVENT_PATH, 'utf8'));
    return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The pull request of an event; null if the event is another one. */
export function pullRequestOf(event: Readonly<Record<string, unknown>>): PullRequest | null {
  const pull = event.pull_request as
    | { number?: unknown; head?: { sha?: unknown }; base?: { sha?: unknown } }
    | undefined;
  if (typeof pull?.number !== 'number') return null;
  return { number: pull.number, head: commitOf(pull.head?.sha), base: commitOf(pull.base?.sha) };
}

function commitOf(hash: unknown): string | null {
  return isCommit(hash) ? hash : null;
}

/** Whether a value is the whole hash of a commit, SHA-1 or SHA-256. */
export function isCommit(hash: unknown): hash is string {
  return typeof hash === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash);
}
