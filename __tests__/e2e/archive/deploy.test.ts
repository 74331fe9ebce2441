import { createHash } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import { type ActionResult, runAction } from '../support/action.ts';
import { Fleet } from '../support/fleet.ts';
import { testAddress } from '../support/link.ts';
import { RestApi } from '../support/rest-api.ts';
import { Runner, work } from '../support/runner.ts';
import type { Target } from '../support/target.ts';

/*
 * A build job makes and signs the archives; a deploy job on another machine, which has no checkout and builds nothing,
 * takes them from the run.
 */
let fleet: Fleet;
let deployer: Runner;
let key: { secret: string; public: string };
let stranger: { secret: string; public: string };
let built: ActionResult;

async function newKey(name = 'fleet-1'): Promise<typeof key> {
  const nix = ['--extra-experimental-features', 'nix-command'];
  const made = await deployer.run(['nix', ...nix, 'key', 'generate-secret', '--key-name', name]);
  const secret = made.stdout.trim();
  const converted = await deployer.run(['nix', ...nix, 'key', 'convert-secret-to-public'], { input: secret });
  return { secret, public: converted.stdout.trim() };
}

beforeAll(async () => {
  [fleet, deployer] = await Promise.all([Fleet.start(), Runner.start({ name: 'deployer', nix: '2.26' })]);
  [key, stranger] = [await newKey(), await newKey()];
  const inputs = { mode: 'none', archive: 'full', 'signing-key': key.secret };
  built = await fleet.step(inputs, { secrets: [key.secret, fleet.deployKey.private, fleet.results.token] });
}, 240_000);
afterAll(async () => {
  await fleet?.stop();
  await deployer?.stop();
});

/** The deploy job's step. */
function deploy(trusted: string, hosts = ''): Promise<ActionResult> {
  return runAction(deployer, {
    uses: 'deploy',
    results: fleet.results,
    secrets: [fleet.deployKey.private, fleet.results.token],
    inputs: { ...fleet.access, from: 'run', 'trusted-public-keys': trusted, mode: 'switch', hosts },
  });
}

/** The state of the target that an operator can see. */
const record = async (target: Target) => JSON.parse(await target.says('cat', '/var/lib/nix-ferry/deployed.json'));
const from = (mode: string) => ({
  mode,
  commit: expect.stringMatching(/^[0-9a-f]{40}$/),
  branch: expect.any(String),
  committed: expect.any(Number),
  run: expect.stringMatching(/\/actions\/runs\/7$/),
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
});

const errorsOf = (result: ActionResult) =>
  result.main.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);

async function unchanged(work: () => Promise<ActionResult>, error: RegExp): Promise<void> {
  const before = await Promise.all(
    fleet.targets.map(target => target.says('sh', '-c', 'ls /nix/store 2>/dev/null; :')),
  );
  const result = await work();
  expect(result.main.code).not.toBe(0);
  expect(errorsOf(result).join('\n')).toMatch(error);
  expect(result.leaks).toEqual([]);
  const after = await Promise.all(fleet.targets.map(target => target.says('sh', '-c', 'ls /nix/store 2>/dev/null; :')));
  // No byte of it has reached a target.
  expect(after).toEqual(before);
  expect(await Promise.all(fleet.targets.map(target => target.profile()))).toEqual([null, null]);
}

test('the build job signs, shows the public key, and keeps the private one to itself', () => {
  expect(errorsOf(built)).toEqual([]);
  expect(built.main.code).toBe(0);
  expect(built.leaks).toEqual([]);
  expect(built.main.log).toContain(key.public);
  expect(fleet.results.artifacts.map(({ name }) => name).sort()).toEqual(['closure-router', 'closure-server']);
});

test('archives signed with another key are refused before anything is copied', async () => {
  await unchanged(() => deploy(stranger.public), /is refused: .*untrusted/);
});

test('an artifact that differs from what was uploaded is refused', async () => {
  const stored = fleet.results.artifact('closure-server');
  const whole = Buffer.from(stored.zip);
  const middle = Math.floor(whole.length / 2);
  stored.zip.writeUInt8(stored.zip.readUInt8(middle) ^ 1, middle);
  await unchanged(() => deploy(key.public), /was not downloaded as it was uploaded/);
  whole.copy(stored.zip);
});

test('an artifact that someone changed and packed again, with a matching digest, is refused', async () => {
  const stored = fleet.results.artifact('closure-server');
  const whole = { zip: stored.zip, digest: stored.digest };
  const directory = await mkdtemp(join(tmpdir(), 'repacked-'));
  await writeFile(join(directory, 'old.zip'), stored.zip);
  await exec('unzip', ['-q', join(directory, 'old.zip'), '-d', join(directory, 'files')]);
  const script = join(directory, 'files/activate.sh');
  await writeFile(script, `${await readFile(script, 'utf8')}\ntouch /root/owned\n`);
  await exec('zip', ['-q', '-r', '../new.zip', '.'], { cwd: join(directory, 'files') });
  stored.zip = await readFile(join(directory, 'new.zip'));
  stored.digest = `sha256:${createHash('sha256').update(stored.zip).digest('hex')}`;
  await unchanged(() => deploy(key.public), /server is refused: activate\.sh was changed/);
  Object.assign(stored, whole);
});

test('a job on a machine with no checkout deploys what was built', async () => {
  expect((await deployer.run(['ls', '-A'])).stdout).toBe('');
  const result = await deploy(key.public);
  expect(errorsOf(result)).toEqual([]);
  expect(result.main.code).toBe(0);
  expect(result.leaks).toEqual([]);
  const outcomes = JSON.parse(result.outputs.outcomes ?? '') as Record<string, Outcome>;
  expect(outcomes).toMatchObject({ server: { outcome: 'deployed' }, router: { outcome: 'deployed' } });
  const archives = JSON.parse(built.outputs.archives ?? '') as { host: string; toplevel: string }[];
  const toplevel = (host: string) => archives.find(archive => archive.host === host)?.toplevel;
  expect(await fleet.server.profile()).toBe(toplevel('server'));
  expect(await fleet.router.profile()).toBe(toplevel('router'));
  expect(await fleet.server.currentSystem()).toBe(toplevel('server'));
  for (const target of fleet.targets) expect(await record(target)).toMatchObject(from('switch'));
});

test('the artifact, installed by hand, leaves the same record of its provenance', async () => {
  await writeFile(fleet.server.machine.path('/root/artifact.zip'), fleet.results.artifact('closure-server').zip);
  await exec('unzip', ['-q', 'artifact.zip', '-d', 'artifact'], { cwd: fleet.server.machine.path('/root') });
  await fleet.server.says('sh', '/root/artifact/install', 'boot', '--no-check-sigs');
  expect(await record(fleet.server)).toMatchObject(from('boot'));
});

describe('the user `runner`, whom the daemon does not trust, deploys', () => {
  const githubToken = 'ghs_a-token-that-is-searched-for';
  let builder: Runner;
  let rest: RestApi;
  let cache: Server;
  /** Lines for nix.conf, with a cache that has the system as it was first built. */
  let nixConf: string;

  beforeAll(async () => {
    [builder, rest] = await Promise.all([Runner.start({ name: 'builder', nix: '2.26' }), RestApi.start()]);
    const cacheKey = await newKey('cache-1');
    const { machine } = fleet.runner;
    await machine.run(['sh', '-c', 'umask 077; cat >/root/cache-key'], { input: cacheKey.secret });
    const archives = JSON.parse(built.outputs.archives ?? '') as { host: string; toplevel: string }[];
    const toplevel = archives.find(({ host }) => host === 'server')?.toplevel ?? '';
    const to = 'file:///var/tmp/cache?compression=none&secret-key=/root/cache-key';
    await machine.run(['nix', '--extra-experimental-features', 'nix-command', 'copy', '--to', to, toplevel]);
    cache = createServer((request, response) => {
      readFile(machine.path(join('/var/tmp/cache', request.url ?? ''))).then(
        content => response.end(content),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>(listening => cache.listen(0, testAddress, listening));
    const url = `http://${testAddress}:${(cache.address() as AddressInfo).port}`;
    nixConf = `substituters = ${url}\ntrusted-public-keys = ${cacheKey.public}`;
    const settings = `nix.settings = { substituters = [ "${url}" ]; trusted-public-keys = [ "${cacheKey.public}" ]; };`;
    await fleet.change('modules/greeting.nix', text =>
      text.replace('  systemd.services', `  ${settings}\n  systemd.services`),
    );
  }, 120_000);
  afterAll(async () => {
    await builder?.stop();
    rest?.stop();
    cache?.closeAllConnections();
    cache?.close();
  });

  /** The build job's step, on a machine that fetches from the cache what it has. */
  async function make(archive: string, signed: boolean, run: string): Promise<ActionResult> {
    const from = fleet.runner.machine.path(work.workspace);
    await exec('cp', ['-R', `${from}/.`, builder.machine.path(work.workspace)]);
    await builder.machine.run(['chown', '-R', 'runner:runner', work.workspace]);
    const signing = signed ? { 'signing-key': key.secret } : {};
    return runAction(builder, {
      results: fleet.results,
      env: { GITHUB_RUN_ID: run, GITHUB_API_URL: rest.url },
      inputs: {
        ...{ ...fleet.access, ...signing, archive, 'nix-conf': nixConf },
        ...{ mode: 'none', hosts: 'server', 'github-token': githubToken },
      },
    });
  }

  /** The deploy job's step, as run 8, on a machine whose store has none of the paths. */
  async function take(from: string, signed: boolean, runner: Runner): Promise<ActionResult> {
    const trust = signed ? { 'trusted-public-keys': key.public } : { 'allow-unsigned': 'true' };
    return runAction(runner, {
      uses: 'deploy',
      results: fleet.results,
      env: { GITHUB_RUN_ID: '8', GITHUB_API_URL: rest.url },
      secrets: [githubToken],
      inputs: {
        ...{ ...fleet.access, ...trust, 'nix-conf': nixConf, from },
        ...{ mode: 'switch', hosts: 'server', 'github-token': githubToken },
      },
    });
  }

  const ways = ['run', 'number', 'folder', 'reference'] as const;
  const rows = ways.flatMap(from =>
    (['delta', 'full'] as const).flatMap(archive =>
      // Without a signing key, no run refers to an earlier one's artifact.
      (from === 'reference' ? (['signed'] as const) : (['signed', 'unsigned'] as const)).map(
        trust => [archive, from, trust] as const,
      ),
    ),
  );

  test.each(rows)('a %s archive from a %s, %s', async (archive, from, trust) => {
    const signed = trust === 'signed';
    const greeting = `${archive}, ${from}, ${trust}: Welcome to`;
    await fleet.change('modules/greeting.nix', text => text.replace(/[^"\n]*Welcome to/, greeting));
    fleet.results.artifacts.splice(0);
    rest.artifacts = [];
    const made = await make(archive, signed, from === 'run' ? '8' : '7');
    expect([errorsOf(made), made.main.code]).toEqual([[], 0]);
    const { zip } = fleet.results.artifact('closure-server');
    if (from === 'number' || from === 'reference') rest.artifacts = fleet.results.artifacts.splice(0);
    if (from === 'reference') {
      expect((await make(archive, signed, '8')).main.code).toBe(0);
      expect(fleet.results.artifact('closure-server').zip.length).toBeLessThan(zip.length / 10);
    }
    const runner = await Runner.start({ name: 'other', nix: '2.26' });
    const folder = '/var/tmp/archive';
    await writeFile(runner.machine.path('/var/tmp/a.zip'), zip);
    await runner.run(['unzip', '-q', '/var/tmp/a.zip', '-d', folder]);
    const { paths } = JSON.parse((await runner.run(['cat', `${folder}/manifest.json`])).stdout);
    const inside = paths.filter((path: { inside: boolean }) => path.inside);
    // Most of the system is unchanged, and the cache has it.
    if (archive === 'delta') expect(inside.length).toBeLessThan(paths.length / 2);
    else expect(inside.length).toBe(paths.length);
    const value = { run: 'run', reference: 'run', number: '7', folder }[from];
    const result = await take(value, signed, runner);
    await runner.stop();
    expect(result.leaks).toEqual([]);
    expect([errorsOf(result), result.main.code]).toEqual([[], 0]);
    expect(await fleet.server.says('cat', '/run/greeting')).toContain(greeting);
  });

  test.each(['run', '7'])('no archive (`archive: none`) from %s is an error, before anything is copied', async from => {
    fleet.results.artifacts.splice(0);
    rest.artifacts = [];
    expect((await make('none', true, '8')).main.code).toBe(0);
    const before = await fleet.server.profile();
    const result = await take(from, true, deployer);
    expect(result.main.code).not.toBe(0);
    expect(errorsOf(result).join('\n')).toMatch(/(?:This run|Run 7) has no archive of server/);
    expect(await fleet.server.profile()).toBe(before);
  });
});
