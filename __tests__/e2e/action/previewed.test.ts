import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from '../support/fleet.ts';
import { RestApi } from '../support/rest-api.ts';

// A pull request is previewed, merged and deployed. GitHub's routes are served by the testbed, which checks no token.

let fleet: Fleet;
let rest: RestApi;
beforeAll(async () => {
  [fleet, rest] = await Promise.all([Fleet.start(), RestApi.start({ keepsComments: true })]);
});
afterAll(async () => {
  rest.stop();
  await fleet.stop();
});

const commit = '0123456789abcdef0123456789abcdef01234567';

/** A step for one host, whose comments go to the testbed. */
function step(mode: string, event: { name: string; payload?: unknown }, inputs: Record<string, string> = {}) {
  const env = { GITHUB_API_URL: rest.url, GITHUB_SHA: commit };
  const common = { archive: 'none', hosts: 'server', comment: 'true', 'github-token': 'ghs_testbed' };
  return fleet.step({ mode, ...common, ...inputs }, { event, env });
}

const pullRequest = { name: 'pull_request', payload: { pull_request: { number: 12, head: { sha: commit } } } };
const push = { name: 'push' };

test('before a preview, a deployment is refused', async () => {
  const before = await fleet.server.profile();
  const { main } = await step('switch', push, { 'require-preview': 'true' });
  expect([main.code, main.annotations.map(({ message }) => message).join()]).toEqual([
    1,
    expect.stringContaining('Nobody has previewed what would be deployed to server. Nothing was deployed.'),
  ]);
  expect(await fleet.server.profile()).toBe(before);
});

test('what was previewed is deployed, and the comment has the outcome', async () => {
  const preview = await step('preview', pullRequest);
  expect(preview.main.code).toBe(0);
  expect(rest.comments).toEqual([expect.stringContaining(`For ${commit}.`)]);
  const { main, summary } = await step('switch', push, { 'require-preview': 'true' });
  expect([main.code, summary]).toEqual([0, expect.stringContaining('**As previewed in #12**: server')]);
  expect(rest.comments).toEqual([
    expect.stringMatching(
      /For 0123[\s\S]*\*\*Deployment\*\*: 1 deployed \(\[run\]\(https:[\s\S]*As previewed in #12\*\*: server/,
    ),
  ]);
});

test('after another change, what differs is shown, and with `require-preview` it is refused', async () => {
  await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Good morning from'));
  const before = await fleet.server.profile();
  const refused = await step('switch', push, { 'require-preview': 'true' });
  expect(refused.main.code).toBe(1);
  expect(refused.summary).toMatch(/What differs:\n\n- server: greeting\.service; \/etc\/greeting\n/);
  expect(await fleet.server.profile()).toBe(before);
  const { main, summary } = await step('switch', push);
  expect([main.code, summary]).toEqual([0, expect.stringContaining('**Not as previewed in #12**: server: previewed ')]);
  expect(await fleet.server.profile()).not.toBe(before);
});
