import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from './testbed/fleet.ts';
import { repository, root } from './testbed/machine.ts';
import { ResultsService } from './testbed/results.ts';
import { work } from './testbed/runner.ts';

// The workflows to copy, as they are, run by nektos/act as the user `runner`, on the machine itself, without an engine for
// containers. It stands for GitHub's runner, which cannot be had here. `actions/checkout` is what act makes of it; artifacts go
// to the testbed's service, since act's own does not take those of the present @actions/artifact (0.2.89: "unknown field mime_type").

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.start({ readOnly: { [join(root('act'), 'bin/act')]: '/usr/local/bin/act' } });
  // A user's repository, which says itself where its hosts run.
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

/** A run, by an event of GitHub's, of a workflow file; with the names of the artifacts it has. */
async function act(event: string, workflow: string, payload: object) {
  const eventFile = join(work.temp, 'event.json');
  await fleet.runner.run(['sh', '-c', 'cat >"$0"', eventFile], { input: JSON.stringify(payload) });
  const results = await ResultsService.start();
  const { code, stdout, stderr } = await fleet.runner.run(
    [
      'act',
      event,
      `--workflows=.github/workflows/${workflow}`,
      `--eventpath=${eventFile}`,
      '--platform=ubuntu-latest=-self-hosted',
      `--local-repository=OWNER/nix-ferry@v0=${repository}`,
      '--secret=DEPLOY_KEY',
      '--var=KNOWN_HOSTS',
      '--no-cache-server',
      ...Object.entries(results.environment()).map(([name, value]) => `--env=${name}=${value}`),
    ],
    {
      env: {
        HOME: '/home/runner',
        PATH: `/opt/node24/bin:${fleet.runner.path}`,
        DEPLOY_KEY: fleet.deployKey.private,
        KNOWN_HOSTS: fleet.targets.map(({ knownHosts }) => knownHosts).join('\n'),
      },
      allow: [0, 1],
    },
  );
  await results.stop();
  return { code, log: stdout + stderr, artifacts: results.artifacts.map(({ name }) => name).sort() };
}

test('deploy.yml: a push to main switches both targets', async () => {
  const { code, log, artifacts } = await act('push', 'deploy.yml', { ref: 'refs/heads/main' });
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 deployed')]);
  expect(artifacts).toEqual(['closure-router', 'closure-server']);
  for (const target of fleet.targets) {
    expect(await target.profile()).toContain(`-nixos-system-${target.machine.name}-`);
    expect(await target.currentSystem()).toBe(await target.profile());
  }
  expect(log).not.toContain(fleet.deployKey.private.split('\n')[2]);
});

/** What GitHub says of a pull request whose branch lies in the repository `head`. */
const pullRequest = (head: string) => ({
  repository: { full_name: 'octocat/fleet' },
  pull_request: { number: 3, head: { repo: { full_name: head } } },
});

test('pull-request.yml: a pull request of the repository asks the targets, and changes nothing', async () => {
  await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Good morning from'));
  const before = await Promise.all(fleet.targets.map(target => target.profile()));
  const { code, log } = await act('pull_request', 'pull-request.yml', pullRequest('octocat/fleet'));
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 planned')]);
  expect(log).toMatch(/would restart: .*greeting\.service/);
  expect(await Promise.all(fleet.targets.map(target => target.profile()))).toEqual(before);
});

test('pull-request.yml: a pull request from a fork builds, and no target hears of it', async () => {
  await Promise.all(fleet.targets.map(target => target.machine.cutLink()));
  const { code, log } = await act('pull_request', 'pull-request.yml', pullRequest('somebody/fleet'));
  expect([code, log]).toEqual([0, expect.stringContaining('Nix Ferry: 2 hosts built')]);
});
