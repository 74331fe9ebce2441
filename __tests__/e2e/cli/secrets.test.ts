import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Run } from '../../../src/report/index.ts';
import { Fleet } from '../support/fleet.ts';
import { repository } from '../support/machine.ts';
import { searchMachine, watchProcesses } from '../support/planted.ts';
import { work } from '../support/runner.ts';
import { until } from '../support/target.ts';

// `ferry secrets` as a user runs it, with sudo on the targets: one of them is x86_64, the other aarch64.

const contents = {
  file: 'a-secret-of-the-fleet-in-a-file',
  variable: 'a-secret-of-the-fleet-in-a-variable',
  command: 'a-secret-of-the-fleet-from-a-command',
};
const places = { file: '/run/keys/file', variable: '/run/keys/variable', command: '/var/lib/keys/command' };
const action = 'echo ran >>/var/tmp/actions && while [ -e /var/tmp/hold ]; do sleep 0.1; done';
const declared = `
      ferry.server.secrets = {
        file = { source = "secrets/file"; destination = "${places.file}"; user = "daemon"; action = "worker.service"; };
        variable = { source.env = "DB"; destination = "${places.variable}"; action = [ "${action}" ]; };
        command = { source.command = [ "cat" "/srv/vault" ]; destination = "${places.command}"; };
      };
      ferry.router.secrets.file = { source = "secrets/file"; destination = "${places.file}"; group = "daemon"; permissions = "0440"; };
      nixosConfigurations = {`;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.start({ nix: '2.26' });
  const put = (name: string, text: string): void => writeFileSync(fleet.runner.machine.path(`/var/tmp/${name}`), text);
  put('deploy-key', fleet.deployKey.private);
  put('known_hosts', fleet.access['known-hosts'] ?? '');
  put('targets', (fleet.access.targets ?? '').replaceAll('root@', 'deploy@'));
  await fleet.runner.machine.run(['sh', '-c', 'mkdir -p /etc/nix /srv && echo "substituters =" >/etc/nix/nix.conf']);
  // Plays the part of a password store, which is not searched.
  await fleet.runner.machine.run(['sh', '-c', 'cat >/srv/vault && chmod 444 /srv/vault'], { input: contents.command });
  await fleet.change('flake.nix', text => text.replace('nixosConfigurations = {', () => declared));
  await fleet.runner.run(['sh', '-c', 'mkdir secrets && cat >secrets/file && echo /secrets >>.git/info/exclude'], {
    input: contents.file,
  });
  await fleet.server.says('sh', '-c', `printf '%s\\n' '${worker}' >/run/systemd/system/worker.service`);
}, 240_000);
afterAll(() => fleet.stop());

const worker = '[Service]\nExecStart=/bin/sleep infinity';
const access = [
  '--deploy-key',
  '/var/tmp/deploy-key',
  '--known-hosts',
  '@/var/tmp/known_hosts',
  '--targets',
  '@/var/tmp/targets',
];
const argv = (...args: string[]): string[] => [
  work.node20,
  join(repository, 'dist/cli.js'),
  'secrets',
  ...access,
  ...args,
];
const environment = { FERRY_SECRET_DB: contents.variable };

async function ferrySecrets(args: string[] = [], env: Record<string, string> = environment) {
  const { code, stdout, stderr } = await fleet.runner.run(argv(...args), { env, allow: [0, 1, 2, 3, 4, 5, 6, 7] });
  for (const secret of Object.values(contents)) expect(stdout + stderr).not.toContain(secret);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as Run };
}

const actions = async (): Promise<number> =>
  Number(await fleet.server.says('sh', '-c', 'cat /var/tmp/actions 2>/dev/null | wc -l'));
const workerStart = async (): Promise<string> =>
  (await fleet.server.unit('worker.service')).ExecMainStartTimestampMonotonic ?? '';
const facts = (on: 'server' | 'router', path: string): Promise<string> =>
  fleet[on].says('sh', '-c', 'cat "$0" && stat -c " %U:%G %a" "$0"', path);

test('the first time: all are sent, to both machines, and the report says what a reboot removes', async () => {
  const { result, leaks } = await watchProcesses(fleet.runner, Object.values(contents), () =>
    ferrySecrets(['--parallel', '1']),
  );
  expect([result.code, leaks]).toEqual([0, []]);
  expect(result.stdout).toContain(
    'Secrets sent: command, file, variable. A reboot removes these secrets, and `ferry secrets` sends them again: file, variable.',
  );
  expect(await facts('server', places.file)).toBe(`${contents.file} daemon:root 400`);
  expect(await facts('server', places.variable)).toBe(`${contents.variable} root:root 400`);
  expect(await facts('server', places.command)).toBe(`${contents.command} root:root 400`);
  expect(await facts('router', places.file)).toBe(`${contents.file} root:daemon 440`);
  // No system was built or activated.
  expect([await fleet.server.currentSystem(), await fleet.router.profile()]).toEqual([null, null]);
}, 240_000);

test('again: nothing has changed, nothing is restarted', async () => {
  const before = [await actions(), await workerStart()];
  expect(before[0]).toBe(1);
  const { code, json } = await ferrySecrets(['--json']);
  const { outcomes } = json();
  expect([code, outcomes.map(({ host, outcome }) => `${host} ${outcome}`).sort()]).toEqual([
    0,
    ['router unchanged', 'server unchanged'],
  ]);
  expect(outcomes.map(({ secrets }) => secrets?.changed)).toEqual([[], []]);
  expect([await actions(), await workerStart()]).toEqual(before);
}, 240_000);

test('after a reboot, only those that it removed are sent again', async () => {
  await fleet.server.powerCut();
  await fleet.server.powerOn();
  await fleet.server.says('sh', '-c', `printf '%s\\n' '${worker}' >/run/systemd/system/worker.service`);
  const { code, json } = await ferrySecrets(['--hosts', 'server', '--json']);
  expect([code, json().outcomes]).toMatchObject([
    0,
    [{ host: 'server', outcome: 'deployed', secrets: { changed: ['file', 'variable'], unchanged: ['command'] } }],
  ]);
  expect(await facts('server', places.file)).toBe(`${contents.file} daemon:root 400`);
  expect(await actions()).toBe(2);
}, 240_000);

test('exit codes: a missing variable, an action that fails', async () => {
  const missing = await ferrySecrets([], {});
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringContaining('the variable FERRY_SECRET_DB is not set'),
  ]);
  await fleet.server.says(
    'sh',
    '-c',
    'mkdir /var/tmp/kept && mv /var/tmp/actions /var/tmp/kept && mkdir /var/tmp/actions',
  );
  const failed = await ferrySecrets(['--hosts', 'server'], { FERRY_SECRET_DB: 'another content of the variable' });
  await fleet.server.says('sh', '-c', 'rmdir /var/tmp/actions && mv /var/tmp/kept/actions /var/tmp/actions');
  expect(failed.stdout).toMatch(/^server .*rolled-back: The action of variable failed/m);
  expect(failed.code).toBe(7);
  expect(await facts('server', places.variable)).toBe(`${contents.variable} root:root 400`);
}, 240_000);

/** Replaces the variable's secret, and waits until its action runs. */
async function held(text: string) {
  await fleet.server.says('touch', '/var/tmp/hold');
  const before = await actions();
  const wrapped = ['sh', '-c', 'echo $$ >/var/tmp/pid && exec "$@"', 'sh', ...argv('--hosts', 'server')];
  const env = { PATH: fleet.runner.path, FERRY_SECRET_DB: text };
  const entered = fleet.runner.machine.enter(wrapped, { user: 'runner', cwd: work.workspace, env });
  const child = spawn('nsenter', entered, { stdio: 'ignore', env: { PATH: process.env.PATH } });
  const ended = new Promise(resolve => child.once('close', resolve));
  await until(async () => expect(await actions()).toBe(before + 1), 'the action');
  const kill = () => fleet.runner.machine.run(['sh', '-c', 'kill -KILL "$(cat /var/tmp/pid)"'], { allow: [0, 1] });
  return { kill, ended, release: () => fleet.server.says('rm', '-f', '/var/tmp/hold') };
}

test('a runner that is killed: its target completes what it has begun', async () => {
  const { kill, ended, release } = await held('the content of a killed run');
  await kill();
  await ended;
  expect(await facts('server', places.variable)).toBe('the content of a killed run root:root 400');
  await release();
  await until(
    async () => expect(existsSync(fleet.server.machine.path('/var/lib/nix-ferry/activating.secrets'))).toBe(false),
    'the end',
  );
  const same = await ferrySecrets(['--hosts', 'server', '--json'], { FERRY_SECRET_DB: 'the content of a killed run' });
  expect(same.json().outcomes).toMatchObject([{ outcome: 'unchanged' }]);
}, 240_000);

test('a power cut in the middle: each is whole, and the next run sends what it removed', async () => {
  const { kill, ended } = await held('the content of a run without power');
  await fleet.server.powerCut();
  await fleet.server.powerOn();
  // If it has not noticed itself.
  await kill();
  await ended;
  await fleet.server.says('rm', '-f', '/var/tmp/hold');
  await fleet.server.says('sh', '-c', `printf '%s\\n' '${worker}' >/run/systemd/system/worker.service`);
  expect(await facts('server', places.command)).toBe(`${contents.command} root:root 400`);
  const { code, json } = await ferrySecrets(['--hosts', 'server', '--json']);
  expect([code, json().outcomes]).toMatchObject([0, [{ secrets: { changed: ['file', 'variable'] } }]]);
  expect(await facts('server', places.variable)).toBe(`${contents.variable} root:root 400`);
  const left = 'find /run /var/lib -xdev -name ".nix-ferry-*" -o -name "*.secrets" 2>/dev/null; :';
  expect(await fleet.server.says('sh', '-c', left)).toBe('');
}, 240_000);

test('nothing contains a secret but its own place, and the search finds one that is planted', async () => {
  const secrets = Object.values(contents);
  const source = `${work.workspace}/secrets/file`;
  expect(await searchMachine(fleet.runner.machine, secrets)).toEqual([source]);
  expect((await searchMachine(fleet.server.machine, secrets)).sort()).toEqual(Object.values(places).sort());
  expect(await searchMachine(fleet.router.machine, secrets)).toEqual([places.file]);
  const planted = ['/run/nix-ferry/planted', '/tmp/planted', '/nix/store/planted', '/var/log/planted'];
  for (const { machine } of [fleet.server, fleet.router]) {
    for (const file of planted) {
      await machine.run(['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat >"$0"', file], {
        input: `x ${contents.variable} y`,
      });
      expect(await searchMachine(machine, secrets)).toContain(file);
      await machine.run(['rm', file]);
    }
  }
  const journal = (): Promise<string> => fleet.server.says('journalctl', '--no-pager', '-o', 'verbose');
  const before = await journal();
  expect(secrets.filter(secret => before.includes(secret))).toEqual([]);
  await fleet.server.says('logger', `x ${contents.command} y`);
  await fleet.server.says('journalctl', '--sync');
  expect(await journal()).toContain(contents.command);
}, 240_000);
