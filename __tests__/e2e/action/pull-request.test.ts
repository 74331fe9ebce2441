import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ActionResult } from '../support/action.ts';
import { Fleet } from '../support/fleet.ts';
import { repository } from '../support/machine.ts';
import { RestApi } from '../support/rest-api.ts';
import { work } from '../support/runner.ts';
import { startSystemdTarget, type Target } from '../support/target.ts';

// A pull request that changes two of three hosts, and a second push to it. The testbed serves GitHub's routes and checks no
// token.

let fleet: Fleet;
let rest: RestApi;
let api: Target;

const commits = ['0123456789abcdef0123456789abcdef01234567', '89abcdef0123456789abcdef0123456789abcdef'] as const;

beforeAll(async () => {
  [fleet, rest] = await Promise.all([Fleet.start(), RestApi.start({ keepsComments: true })]);
  api = await startSystemdTarget({ name: 'api', deployKey: fleet.deployKey });
  await addHosts();
  const { main } = await step({ mode: 'switch', archive: 'none' }, 'push', commits[0]);
  if (main.code !== 0) throw new Error(main.log);
});
afterAll(async () => {
  rest.stop();
  await Promise.all([fleet.stop(), api.stop()]);
});

/** Adds the host `api` and what the pull request changes. */
async function addHosts(): Promise<void> {
  const module = readFileSync(join(repository, '__tests__/e2e/support/fixtures/pull-request.nix'));
  writeFileSync(fleet.runner.machine.path(join(work.workspace, 'modules/pull-request.nix')), module);
  const server = (host: string) => (text: string) =>
    text
      .replace('"server"', `"${host}"`)
      .replace('../modules/website.nix', '../modules/website.nix\n    ../modules/pull-request.nix');
  const folder = join(work.workspace, 'hosts');
  await fleet.runner.run(['cp', `${folder}/server.nix`, `${folder}/api.nix`]);
  await fleet.change('hosts/api.nix', server('api'));
  await fleet.change('hosts/server.nix', server('server'));
  await fleet.change('flake.nix', text =>
    text.replace(
      'router = nixpkgs',
      'api = nixpkgs.lib.nixosSystem { modules = [ ./hosts/api.nix ]; };\n        router = nixpkgs',
    ),
  );
}

function step(inputs: Record<string, string>, event: string, commit: string): Promise<ActionResult> {
  const { access } = fleet;
  const payload = event === 'push' ? {} : { pull_request: { number: 12, head: { sha: commit } } };
  return fleet.step(
    {
      ...{ comment: 'true', 'github-token': 'ghs_testbed', emulate: 'auto' },
      targets: `${access.targets}api: root@${api.address}\n`,
      'known-hosts': `${access['known-hosts']}\n${api.knownHosts}`,
      ...inputs,
    },
    { event: { name: event, payload }, env: { GITHUB_API_URL: rest.url, GITHUB_SHA: commit } },
  );
}

/** A list item of the Markdown, as a reader sees it. */
function read(markdown: string): string {
  return markdown
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/<\/?code>/g, '`')
    .replaceAll('\u200b', '');
}

test('a package, a unit, a user and the kernel change on two hosts, and one is untouched', async () => {
  await fleet.change('modules/pull-request.nix', text =>
    text
      .replace('nginx = "1.26.3"', 'nginx = "1.28.0"')
      .replace('size = 40', 'size = 52')
      .replace('linux = "6.12.30"', 'linux = "6.12.35"')
      .replace('interval = 10', 'interval = 30')
      .replace('"operator" ]', '"operator" "alice" ]'),
  );
  const { main, summary } = await step({ mode: 'preview', archive: 'full' }, 'pull_request', commits[0]);
  expect(main.code).toBe(0);
  expect(rest.writes).toEqual(['POST /repos/octocat/fleet/issues/12/comments']);
  const [comment = ''] = rest.comments;
  for (const text of [read(comment), read(summary)]) {
    expect(text).toContain('## Nix Ferry: 2 hosts would change, 1 unchanged');
    expect(text).toContain('### api, server');
    expect(text).toContain('- ⚠️ **Needs a reboot**, because: kernel 6.12.30 → 6.12.35');
    expect(text).toContain('- **Restarts**: `poll.service`');
    expect(text).toContain('- **Users**: adds `alice`');
    expect(text).toMatch(/\| nginx \| 1\.26\.3 \| 1\.28\.0 \| \+12\.0 KiB \|/);
    expect(text).toContain('**Unchanged**: router');
  }
  expect(comment).not.toContain('mermaid');
  expect(summary).toMatch(/^ {4}\d.* · preview :\d+, \d+$/m);
  expect(summary).toMatch(/^ {4}\d.* · server :\d+, \d+$/m);
  expect(summary).toMatch(/\*\*Builds\*\*: \d+ derivations built/);
  expect(summary).toMatch(/\[[\d.]+ MiB\]\(https:\/\/github\.com\/octocat\/fleet\/actions\/runs\/7\/artifacts\/\d+\)/);
});

test('the second push updates the comment', async () => {
  await fleet.change('modules/pull-request.nix', text => text.replace('interval = 30', 'interval = 10'));
  const { main } = await step({ mode: 'preview', archive: 'none' }, 'pull_request', commits[1]);
  expect(main.code).toBe(0);
  expect(rest.writes).toEqual([
    'POST /repos/octocat/fleet/issues/12/comments',
    'PATCH /repos/octocat/fleet/issues/comments/1',
  ]);
  expect(rest.comments).toEqual([expect.stringContaining(`For ${commits[1]}.`)]);
  expect(read(rest.comments[0] ?? '')).not.toContain('poll.service');
});
