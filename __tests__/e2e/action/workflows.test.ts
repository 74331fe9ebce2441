import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from '../support/fleet.ts';
import { repository, root } from '../support/machine.ts';
import { RestApi } from '../support/rest-api.ts';
import { ResultsService, type StoredArtifact } from '../support/results.ts';
import { Runner, work } from '../support/runner.ts';

// The example workflows and the project's own, unchanged, run by nektos/act as the user `runner` on the machine itself,
// without containers. act replaces GitHub's runner, which cannot run here, and has its own `actions/checkout`. Artifacts go to
// the testbed's service, because act's rejects those of the current @actions/artifact (0.2.89: "unknown field mime_type").

const acts = { readOnly: { [join(root('act'), 'bin/act')]: '/usr/local/bin/act' } };
let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.start(acts);
  // A user's repository, which contains the addresses of its hosts.
  await fleet.change('flake.nix', text =>
    text.replace(
      'nixosConfigurations = {',
      `ferry.server = { address = "${fleet.server.address}"; user = "root"; };
      ferry.router = { address = "${fleet.router.address}"; user = "root"; };
      nixosConfigurations = {`,
    ),
  );
  await fleet.runner.run(['mkdir', '.github']);
  await fleet.runner.run(['cp', '-R', join(repository, 'examples/workflows'), '.github/workflows']);
  await fleet.runner.run(['git', 'remote', 'add', 'origin', 'https://github.com/octocat/fleet']);
  await fleet.runner.commit();
});
afterAll(() => fleet.stop());

/** The result of a run of a workflow file, with the names of its artifacts. */
interface Acted {
  code: number;
  log: string;
  artifacts: string[];
  stored: readonly StoredArtifact[];
}

/** Runs a workflow file of the repository in the workspace. */
async function act(runner: Runner, words: readonly string[], env: Record<string, string> = {}): Promise<Acted> {
  const results = await ResultsService.start();
  const services = Object.entries(results.environment()).map(([name, value]) => `--env=${name}=${value}`);
  const platforms = ['ubuntu-latest', 'ubuntu-24.04'].map(label => `--platform=${label}=-self-hosted`);
  const { code, stdout, stderr } = await runner.run(['act', ...words, ...platforms, '--no-cache-server', ...services], {
    env: { HOME: '/home/runner', PATH: `/home/runner/bin:/opt/node24/bin:${runner.path}`, ...env },
    allow: [0, 1],
  });
  await results.stop();
  const { artifacts: stored } = results;
  return { code, log: stdout + stderr, artifacts: stored.map(({ name }) => name).sort(), stored };
}

/** Runs an example workflow for an event, with the secret and the variable that it needs. */
async function actForUser(event: string, workflow: string, payload: object, api?: string): Promise<Acted> {
  const eventFile = join(work.temp, 'event.json');
  await fleet.runner.run(['sh', '-c', 'cat >"$0"', eventFile], { input: JSON.stringify(payload) });
  const words = [
    event,
    `--workflows=.github/workflows/${workflow}`,
    `--eventpath=${eventFile}`,
    `--local-repository=OWNER/nix-ferry@v0=${repository}`,
    '--secret=DEPLOY_KEY',
    '--secret=PREVIEW_KEY',
    '--secret=GITHUB_TOKEN',
    '--var=KNOWN_HOSTS',
    ...(api === undefined ? [] : [`--env=GITHUB_API_URL=${api}`]),
  ];
  return act(fleet.runner, words, {
    DEPLOY_KEY: fleet.deployKey.private,
    // The targets of these tests have only one user with a key.
    PREVIEW_KEY: fleet.deployKey.private,
    // GitHub cannot be reached: that no comment can be written is a warning.
    GITHUB_TOKEN: 'ghs_none',
    KNOWN_HOSTS: fleet.targets.map(({ knownHosts }) => knownHosts).join('\n'),
  });
}

test('deploy.yml: a push to main switches both targets', async () => {
  const { code, log, artifacts } = await actForUser('push', 'deploy.yml', { ref: 'refs/heads/main' });
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 deployed')]);
  expect(artifacts).toEqual(['closure-router', 'closure-server']);
  for (const target of fleet.targets) {
    expect(await target.profile()).toContain(`-nixos-system-${target.machine.name}-`);
    expect(await target.currentSystem()).toBe(await target.profile());
  }
  expect(log).not.toContain(fleet.deployKey.private.split('\n')[2]);
});

const commitOf = async (revision: string): Promise<string> =>
  (await fleet.runner.run(['git', 'rev-parse', revision])).stdout.trim();

/** The event of a pull request of the last commit, whose branch is in the repository `head`. */
const pullRequest = async (head: string) => ({
  repository: { full_name: 'octocat/fleet' },
  pull_request: {
    ...{ number: 12, base: { sha: await commitOf('HEAD~1') } },
    head: { sha: await commitOf('HEAD'), ref: 'topic', repo: { full_name: head } },
  },
});

test('drift.yml: no issue while the targets run what main says', async () => {
  const { code, log } = await actForUser('schedule', 'drift.yml', {});
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 0 hosts would change, 2 unchanged')]);
  expect(log).not.toContain('gh label create');
});

test('pull-request.yml: a pull request of the repository shows what would change, and changes nothing', async () => {
  await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Good morning from'));
  const before = await Promise.all(fleet.targets.map(target => target.profile()));
  const { code, log, artifacts } = await actForUser(
    'pull_request',
    'pull-request.yml',
    await pullRequest('octocat/fleet'),
  );
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 hosts would change')]);
  expect(log).toMatch(/\*\*Restarts\*\*: .*greeting\.service/);
  expect(artifacts).toEqual(['nix-ferry-preview-preview']);
  expect(await Promise.all(fleet.targets.map(target => target.profile()))).toEqual(before);
});

test('drift.yml: an issue when a target does not run what main says', async () => {
  // GitHub's program cannot reach GitHub here: this one shows how it is called.
  await fleet.runner.run(['sh', '-c', 'mkdir -p "$HOME/bin" && cat >"$HOME/bin/gh" && chmod +x "$HOME/bin/gh"'], {
    input: '#!/bin/sh\ncase "$1" in issue) [ "$2" = list ] && echo 0 ;; esac\necho "gh $*" >&2\n',
    env: { HOME: '/home/runner', PATH: fleet.runner.path },
  });
  const { code, log } = await actForUser('schedule', 'drift.yml', {});
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 hosts would change')]);
  expect(log).toContain('gh issue create --label drift --title A machine does not run what main says');
});

test('a pull request from a fork: no secret and no target, and a comment with what would change', async () => {
  await Promise.all(fleet.targets.map(target => target.machine.cutLink()));
  const event = await pullRequest('someone/fleet');
  const previewed = await actForUser('pull_request', 'pull-request.yml', event);
  expect([previewed.code, previewed.log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 hosts would change')]);
  expect(previewed.artifacts).toEqual(['nix-ferry-preview-preview-fork']);

  const { head, base } = event.pull_request;
  const rest = await RestApi.start({ keepsComments: true });
  rest.artifacts = previewed.stored;
  rest.pulls = [event.pull_request];
  const workflow_run = {
    ...{ id: 7, event: 'pull_request', html_url: 'https://github.com/octocat/fleet/actions/runs/7' },
    ...{ head_sha: head.sha, head_branch: head.ref, head_repository: head.repo, actor: { login: 'someone' } },
  };
  const commented = await actForUser('workflow_run', 'fork-comment.yml', { workflow_run }, rest.url);
  rest.stop();
  expect([commented.code, commented.log]).toEqual([0, expect.stringContaining('The comment of #12 describes')]);
  expect(rest.comments).toEqual([expect.stringContaining(`Compared with the base, ${base.sha}, and not with what`)]);
  expect(rest.comments.join()).toMatch(/\*\*Restarts, if running\*\*: .*greeting\.service/);
});

test("the project's own ci.yml: the job that uses the action", async () => {
  const runner = await Runner.start({ name: 'ci', ...acts });
  await runner.run(['git', 'clone', '--quiet', repository, '.']);
  await runner.run(['git', 'remote', 'set-url', 'origin', 'https://github.com/octocat/nix-ferry']);
  const words = ['push', '--workflows=.github/workflows/ci.yml', '--job=action', '--matrix=runner:ubuntu-24.04'];
  const { code, log, artifacts } = await act(runner, words);
  await runner.stop();
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 hosts built')]);
  expect(artifacts).toEqual(['closure-router', 'closure-server']);
});
