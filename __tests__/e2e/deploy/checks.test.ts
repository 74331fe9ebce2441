import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Exec, exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import type { HealthChecks } from '../../../src/plan/fleet.ts';
import {
  buildSystems,
  configuration,
  context,
  deployment,
  deployOne,
  localNix,
  recorder,
} from '../support/deploy-fixture.ts';
import { silentAddress } from '../support/link.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from '../support/target.ts';

let nix: Nix;
let key: Key;
let web: Target;
let systems: Record<string, string>;
let server: Server;
/** What the server answers; each answer is used once, except the last one. */
let answers: number[] = [200];
let asked: string[] = [];

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  systems = await buildSystems(nix);
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers['x-check'] ?? ''}`);
    const status = (answers.length > 1 ? answers.shift() : answers[0]) ?? 500;
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  await new Promise<void>(resolve => server.listen(0, resolve));
  expect(await go('one')).toMatchObject({ outcome: 'deployed' });
});
afterEach(() => {
  answers = [200];
  asked = [];
});
afterAll(async () => {
  server?.close();
  await web?.stop();
});

const toplevel = (name: string): string => systems[name] ?? `no system ${name}`;
const go = (name: string, wanted = {}, more = {}) =>
  deployOne(
    nix,
    configuration('switch', key.private, web.knownHosts, { healthTimeout: 10, ...more }),
    deployment(web, toplevel(name), wanted),
  );
const cmd = (command: string): HealthChecks => ({
  cmd: [{ description: 'the check', cmd: command.split(' '), period: 1, timeout: 5 }],
  http: [],
});
const http = (more: Partial<HealthChecks['http'][number]> = {}): HealthChecks => ({
  cmd: [],
  http: [
    {
      ...{ description: 'the page', host: '127.0.0.1', scheme: 'http', port: (server.address() as AddressInfo).port },
      ...{ path: '/health', headers: { 'x-check': 'yes' }, period: 1, timeout: 5, insecureSSL: false, ...more },
    },
  ],
});

describe('health checks', () => {
  test('one that fails: the target goes back, and the message says which', async () => {
    const outcome = await go('two', { healthChecks: cmd('test -e /run/none') }, { healthTimeout: 3 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toMatch(
      /^The health check "the check" failed \(exit code 1\), for 3 s\. The target is back on /,
    );
  });

  test('one that passes later, read by a shell on the target, is repeated', async () => {
    const command = 'test -e /run/later || { touch /run/later; false; }';
    expect(await go('two', { healthChecks: cmd(command) })).toMatchObject({ outcome: 'deployed' });
    await go('one');
  });

  test('one that passes only after 20 s, and one that passes every second time', async () => {
    const from = Number((await web.says('cat', '/proc/uptime')).split('.')[0]) + 20;
    const late = `read now rest </proc/uptime; test "\${now%.*}" -ge ${from}`;
    const flapping = 'if test -e /run/flapped; then rm /run/flapped; else touch /run/flapped; false; fi';
    const healthChecks = { cmd: [...cmd(late).cmd, ...cmd(flapping).cmd], http: [] };
    expect(await go('two', { healthChecks }, { healthTimeout: 120 })).toMatchObject({ outcome: 'deployed' });
    expect(Number((await web.says('cat', '/proc/uptime')).split('.')[0])).toBeGreaterThanOrEqual(from);
    await go('one');
  }, 180_000);

  test('one that hangs: its time is over, and the target goes back', async () => {
    const outcome = await go('two', { healthChecks: cmd('sleep 300') }, { healthTimeout: 6 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toMatch(/^The health check "the check" did not end in time, for 6 s\./);
  });

  test('over HTTP, from the runner, until it passes; a redirection is followed', async () => {
    answers = [500, 302, 200];
    expect(await go('two', { healthChecks: http() })).toMatchObject({ outcome: 'deployed' });
    expect(asked).toEqual(['/health yes', '/health yes', '/elsewhere yes']);
    await go('one');
  });

  test('over HTTP, always failing: rejected, without waiting for the time to confirm', async () => {
    answers = [503];
    const outcome = await go('two', { healthChecks: http() }, { healthTimeout: 3, confirmTimeout: 600 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toMatch(
      /^Rejected: the health check "the page" failed for 3 s: http:\/\/127\.0\.0\.1:\d+\/health answered with status 503\. /,
    );
  });

  test('over HTTP, without a host of its own: the target', async () => {
    const outcome = await go('two', { healthChecks: http({ host: null, port: 81 }) }, { healthTimeout: 3 });
    expect(outcome.message).toContain(`http://${web.address}:81/health: connect ECONNREFUSED ${web.address}:81`);
    expect(await web.currentSystem()).toBe(toplevel('one'));
  });
});

describe('pre-deploy checks', () => {
  test('on the target: refused before anything is changed', async () => {
    const outcome = await go('two', { preDeployChecks: cmd('test -e /run/none') }, { healthTimeout: 3 });
    expect(outcome).toMatchObject({ outcome: 'refused', after: toplevel('one') });
    expect(outcome.message).toBe(
      'The pre-deploy check "the check" failed (exit code 1), for 3 s. Nothing was changed.',
    );
  });

  test('over HTTP, from the runner: refused before the activation begins', async () => {
    answers = [404];
    const outcome = await go('two', { preDeployChecks: http() }, { healthTimeout: 3 });
    expect(outcome).toMatchObject({ outcome: 'refused', after: toplevel('one') });
    expect(outcome.message).toMatch(
      /^The pre-deploy check "the page" failed for 3 s: .*status 404\. Nothing was changed\.$/,
    );
  });

  test('as with morph, each is repeated until it passes', async () => {
    answers = [503, 200];
    const later = cmd('test -e /run/ready || { touch /run/ready; false; }');
    const preDeployChecks = { cmd: later.cmd, http: http().http };
    expect(await go('two', { preDeployChecks })).toMatchObject({ outcome: 'deployed' });
    expect(asked).toEqual(['/health yes', '/health yes']);
    await go('one');
  });
});

describe('failed units', () => {
  test('rollback: the target goes back', async () => {
    const outcome = await go('failingUnit', {}, { failedUnits: 'rollback' });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toMatch(/^Units failed: broken\.service\. The target is back on /);
  });

  test('ignore: deployed, and named', async () => {
    const outcome = await go('failingUnit', {}, { failedUnits: 'ignore' });
    expect(outcome).toMatchObject({ outcome: 'deployed', after: toplevel('failingUnit') });
    expect(outcome.message).toBe('Runs and boots the new system. Ignored: these units failed: broken.service.');
    await go('one');
  });

  test('a host may have another value than the input', async () => {
    const wanted = { overrides: { failedUnits: 'rollback' } };
    expect(await go('failingUnit', wanted, { failedUnits: 'ignore' })).toMatchObject({ outcome: 'rolled-back' });
  });
});

test('`host-timeout` of a host: its connection is given up, and nothing is changed', async () => {
  const target = { ...deployment(web, toplevel('one')).target, address: await silentAddress() };
  const knownHosts = `${target.address} ${web.hostKey.public}`;
  const outcome = await go('two', { target, overrides: { hostTimeout: 2 } }, { knownHosts });
  expect([outcome.outcome, outcome.message]).toEqual([
    'failed',
    'Stopped by `host-timeout` while connecting to the target; the target was not changed.',
  ]);
});

describe('commits', () => {
  const from = (committed: number, branch = 'main') => ({
    origin: { commit: String(committed).repeat(40), repository: 'acme/fleet', branch, committed },
  });

  test('an older one of the same branch is refused, unless it is allowed', async () => {
    expect(await go('two', from(2))).toMatchObject({ outcome: 'deployed' });
    const outcome = await go('one', from(1));
    expect(outcome).toMatchObject({ outcome: 'refused', after: toplevel('two') });
    expect(outcome.message).toMatch(/^The machine has commit 2{40} of acme\/fleet main, which is newer than 1{40}\. /);
    expect(await go('one', from(1), { allowOlder: true })).toMatchObject({ outcome: 'deployed' });
    expect(await go('two', from(2))).toMatchObject({ outcome: 'deployed' });
    expect(await go('one', from(1, 'other'))).toMatchObject({ outcome: 'deployed' });
  });
});

describe('what is unchanged', () => {
  test('not if the boot loader starts another system, and a run repairs that', async () => {
    await go('two');
    expect(await go('two')).toMatchObject({ outcome: 'unchanged' });
    await web.says('sh', '-c', `${toplevel('one')}/bin/switch-to-configuration boot`);
    const entry = 'sed -i "s,init=[^ ]*/init,init=$0/init," /boot/loader/entries/*.conf';
    await web.says('sh', '-c', entry, toplevel('one'));
    expect(await go('two')).toMatchObject({ outcome: 'deployed' });
    expect(await go('two')).toMatchObject({ outcome: 'unchanged' });
  });

  test('not if an activation was cut: it is settled first, and the report says so', async () => {
    const record = {
      ...{ id: 'x-1', mode: 'switch', toplevel: toplevel('two'), host: 'web', activated: false, phase: 'commit' },
      ...{ before: toplevel('two'), profile: toplevel('two'), bootId: 'another' },
      generation: await web.says('readlink', '/nix/var/nix/profiles/system'),
    };
    const lines = Object.entries(record).map(([name, value]) => ` "${name}": ${JSON.stringify(value)},`);
    const text = ['{', ...lines, ' "time": "2026-01-01T00:00:00Z"', '}', ''].join('\n');
    await web.says('sh', '-c', 'printf %s "$0" > /var/lib/nix-ferry/activating.json', text);
    const outcome = await go('two');
    expect(outcome.outcome).toBe('deployed');
    expect(outcome.message).toContain(`An earlier activation, of ${toplevel('two')}, was cut in its phase \`commit\`.`);
    expect(await go('two')).toMatchObject({ outcome: 'unchanged' });
  });
});

test('a machine that deploys itself, without SSH', async () => {
  await go('two');
  await go('one');
  const inside: Exec = (command, args, options) => exec('nsenter', web.machine.enter([command, ...args]), options);
  const local = { address: 'local', ...{ port: null, user: 'root', privilegeEscalation: ['sudo', '-n'] } };
  const wanted = deployment(web, toplevel('two'), {
    target: { ...local, sshOptions: [], sshOptionsFrom: 'targets', substituteOnDestination: false },
  });
  const config = configuration('switch', key.private, '', { knownHosts: null, deployKey: null });
  const running = deployOne(nix, config, wanted, { ...context(recorder()), exec: inside });
  expect(await running).toMatchObject({ outcome: 'deployed', before: toplevel('one'), after: toplevel('two') });
});
