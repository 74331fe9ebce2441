import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { findLeaks } from '../support/action.ts';
import { Fleet } from '../support/fleet.ts';
import { searchMachine, searchPacked, watchProcesses } from '../support/planted.ts';
import { RestApi } from '../support/rest-api.ts';
import { work } from '../support/runner.ts';

// Searches for each secret of a run wherever it could be left; the same searches find a planted one.

const signingKey = `fleet-1:${'c2VjcmV0LXNpZ25pbmcta2V5LWZvci10ZXN0cy1vbmx5'.padEnd(86, 'A')}==`;
const githubToken = 'ghs_a-token-that-is-searched-for';
const jobToken = 'ghs_the-token-of-the-job-in-an-env';
const oidcToken = 'oidc-request-token-of-the-job';
const ofHost = { variable: 'a-secret-of-a-host-in-a-variable', command: 'a-secret-of-a-host-from-a-command' };
const inJob = {
  GITHUB_TOKEN: jobToken,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidcToken,
  FERRY_SECRET_DB: ofHost.variable,
};
/** Where the secrets of the host `server` belong. */
const places = ['/run/keys/variable', '/var/lib/keys/command'];
const declared = `ferry.server.secrets = {
        variable = { source.env = "DB"; destination = "${places[0]}"; };
        command = { source.command = [ "cat" "/srv/vault" ]; destination = "${places[1]}"; uploadAt = "post-activation"; };
      };
      nixosConfigurations = {`;

let fleet: Fleet;
let secrets: string[];
beforeAll(async () => {
  fleet = await Fleet.start();
  // Plays the part of a password store, which is not searched.
  const vault = ['sh', '-c', 'mkdir -p /srv && cat >/srv/vault && chmod 444 /srv/vault'];
  await fleet.runner.machine.run(vault, { input: ofHost.command });
  await fleet.change('flake.nix', text => text.replace('nixosConfigurations = {', () => declared));
  const tokens = [signingKey, githubToken, jobToken, oidcToken, fleet.results.token];
  secrets = [fleet.deployKey.private, ...tokens, ofHost.variable, ofHost.command];
});
afterAll(() => fleet.stop());

describe('processes', () => {
  test('no process has a secret in its environment or its arguments once the inputs are read', async () => {
    const { result, leaks } = await watchProcesses(fleet.runner, secrets, () =>
      fleet.step(
        { mode: 'switch', archive: 'full', 'github-token': githubToken, 'signing-key': signingKey },
        { env: inJob, secrets },
      ),
    );
    expect(result.main.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect([result.main.code, result.leaks]).toEqual([0, []]);
    expect(leaks).toEqual([]);
    expect(result.summary).toContain('- server: sent <code>command</code> <code>variable</code>.');
    const { stdout } = await fleet.server.machine.run(['cat', ...places]);
    expect(stdout).toBe(`${ofHost.variable}${ofHost.command}`);
  });

  test('the search finds one that is planted in an environment and one in an argument', async () => {
    const { leaks } = await watchProcesses(fleet.runner, secrets, () =>
      fleet.runner.run(['sh', '-c', 'sleep 3; :', jobToken], { env: { PLANTED: githubToken } }),
    );
    expect(leaks).toContainEqual({ place: 'environ', process: 'sleep' });
    expect(leaks).toContainEqual({ place: 'cmdline', process: 'sh' });
  });
});

const packed = () => ({
  ...Object.fromEntries(fleet.results.artifacts.map(({ name, zip }) => [`artifact ${name}`, zip])),
  ...Object.fromEntries(fleet.results.caches.map(({ key, content }) => [`cache ${key}`, content])),
});

describe('what the run left behind', () => {
  test('no artifact and no cache contains a secret', async () => {
    expect(Object.keys(packed())).toEqual(
      expect.arrayContaining(['artifact closure-server', expect.stringMatching(/^cache nix-ferry-(store|plan)/)]),
    );
    expect(await searchPacked(packed(), secrets)).toEqual([]);
  });

  test('the search finds one that is planted in a path of an artifact and of a cache', async () => {
    const script = `
      mkdir nar && cat >secret && tar -cf nar/a.nar secret && zstd -q --rm nar/a.nar && rm secret
      tar -cf - nar | zstd -q >cache.tzst && zip -q -r artifact.zip nar`;
    const directory = await mkdtemp(join(tmpdir(), 'planted-'));
    await exec('sh', ['-euc', script], { cwd: directory, input: `x ${fleet.deployKey.private.split('\n')[2]} y` });
    const [cache, artifact] = await Promise.all(
      ['cache.tzst', 'artifact.zip'].map(name => readFile(join(directory, name))),
    );
    const found = await searchPacked({ cache: cache as Buffer, artifact: artifact as Buffer }, secrets);
    expect(found).toContainEqual(expect.stringMatching(/^cache\/.*secret$/));
    expect(found).toContainEqual(expect.stringMatching(/^artifact\/.*secret$/));
  });

  test('no file of the runner, of its store or of a target contains a secret, but those that are its place', async () => {
    for (const { machine } of [fleet.runner, ...fleet.targets]) {
      const found = await searchMachine(machine, secrets);
      expect(found.sort()).toEqual(machine === fleet.server.machine ? places : []);
    }
  });

  test('the search finds one that is planted in a file, a store path, a log of Nix and on a target', async () => {
    const files = [
      [fleet.runner.machine, '/home/runner/.cache/left'],
      [fleet.runner.machine, '/nix/store/left'],
      [fleet.runner.machine, '/nix/var/log/nix/drvs/left'],
      [fleet.runner.machine, '/dev/shm/left'],
      [fleet.runner.machine, '/run/left'],
      [fleet.server.machine, '/nix/store/left'],
      [fleet.server.machine, '/var/lib/nix-ferry/left'],
    ] as const;
    for (const [machine, file] of files) {
      await machine.run(['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat >"$0"', file], { input: `a=${githubToken}\n` });
      expect(await searchMachine(machine, secrets)).toContain(file);
      await machine.run(['rm', file]);
    }
  });

  test('the search finds one that is planted in the outputs and in the state', async () => {
    // As an address, which outcomes repeat, and as the directory in which the state's scratch directory is.
    const planted = 'ghs-planted-in-outputs-and-state';
    const temp = `${work.temp}/${planted}`;
    await fleet.runner.run(['mkdir', temp]);
    const knownHosts = fleet.server.knownHosts.replaceAll(fleet.server.address, planted);
    const inputs = { targets: `server: root@${planted}`, 'known-hosts': knownHosts, hosts: 'server', archive: 'none' };
    const { leaks } = await fleet.step(
      { ...inputs, mode: 'dry-activate' },
      { secrets: [planted], env: { RUNNER_TEMP: temp, FERRY_SECRET_DB: 'x' } },
    );
    await fleet.runner.run(['rm', '-rf', temp]);
    expect(leaks.map(leak => leak.split(':')[0])).toEqual(expect.arrayContaining(['outputs', 'state']));
  });

  test('the comment contains no secret, and the search finds one that a message repeats', async () => {
    const rest = await RestApi.start();
    const event = { name: 'pull_request', payload: { pull_request: { number: 5 } } };
    const env = { ...inJob, GITHUB_API_URL: rest.url };
    const inputs = { mode: 'none', archive: 'none', comment: 'true', 'github-token': githubToken };
    await fleet.step({ ...inputs, hosts: 'server' }, { event, env, secrets });
    await fleet.step({ ...inputs, hosts: jobToken }, { event, env });
    rest.stop();
    expect(rest.comments).toHaveLength(2);
    const found = rest.comments.map(comment => findLeaks({ comment }, secrets));
    expect(found).toEqual([[], [expect.stringMatching(/^comment: /)]]);
  });

  test('the search of logs and the summary finds one that a message repeats', async () => {
    const { leaks } = await fleet.step({ mode: 'none', hosts: jobToken }, { secrets: [jobToken] });
    expect(leaks.map(leak => leak.split(':')[0])).toEqual(expect.arrayContaining(['log of main', 'summary']));
  });
});
