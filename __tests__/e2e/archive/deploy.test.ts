import { createHash } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import { type ActionResult, runAction } from '../support/action.ts';
import { Fleet } from '../support/fleet.ts';
import { RestApi } from '../support/rest-api.ts';
import { Runner } from '../support/runner.ts';
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

async function newKey(): Promise<typeof key> {
  const nix = ['--extra-experimental-features', 'nix-command'];
  const made = await deployer.run(['nix', ...nix, 'key', 'generate-secret', '--key-name', 'fleet-1']);
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
  test.each([
    ['delta', 'run', 'signed'],
    ['full', 'run', 'signed'],
    ['delta', 'folder', 'signed'],
    ['delta', 'run', 'unsigned'],
    ['full', 'folder', 'unsigned'],
    ['delta', 'number', 'signed'],
    ['full', 'number', 'signed'],
  ])('a %s archive from a %s, %s', async (archive, from, signed) => {
    const greeting = `${archive}, ${from}, ${signed}: Welcome to`;
    await fleet.change('modules/greeting.nix', text => text.replace(/[^"\n]*Welcome to/, greeting));
    fleet.results.artifacts.splice(0);
    const making = {
      mode: 'none',
      archive,
      hosts: 'server',
      ...(signed === 'signed' ? { 'signing-key': key.secret } : {}),
    };
    expect((await fleet.step(making)).main.code).toBe(0);
    // Its store has none of the paths.
    const runner = await Runner.start({ name: 'other', nix: '2.26' });
    const folder = '/var/tmp/archive';
    await writeFile(runner.machine.path('/var/tmp/a.zip'), fleet.results.artifact('closure-server').zip);
    await runner.run(['unzip', '-q', '/var/tmp/a.zip', '-d', folder]);
    const trust = signed === 'signed' ? { 'trusted-public-keys': key.public } : { 'allow-unsigned': 'true' };
    const inputs = {
      ...fleet.access,
      ...trust,
      from: from === 'run' ? 'run' : from === 'number' ? '7' : folder,
      mode: 'switch',
      hosts: 'server',
      'github-token': 'ghs_a-token-that-is-searched-for',
    };
    const rest = await RestApi.start();
    // As another run, to which the results service gives nothing of run 7.
    rest.artifacts = from === 'number' ? fleet.results.artifacts.splice(0) : [];
    const env = { GITHUB_RUN_ID: '8', GITHUB_API_URL: rest.url };
    const options = { uses: 'deploy', results: fleet.results, inputs, secrets: [inputs['github-token']] };
    const result = await runAction(runner, from === 'number' ? { ...options, env } : options);
    rest.stop();
    await runner.stop();
    expect(result.leaks).toEqual([]);
    expect([errorsOf(result), result.main.code]).toEqual([[], 0]);
    expect(await fleet.server.says('cat', '/run/greeting')).toContain(greeting);
  });
});
