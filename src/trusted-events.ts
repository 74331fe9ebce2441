/**
 * Events that only people with write access can trigger and that run the repository's own code. What other events build
 * must not reach later runs: pull requests, but also comments, after which many workflows check out a pull request.
 */
export const trustedEvents: readonly string[] = [
  'push',
  'schedule',
  'workflow_dispatch',
  'repository_dispatch',
  'release',
];
