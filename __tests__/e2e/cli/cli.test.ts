import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Run } from '../../../src/report/index.ts';
import { Fleet } from '../support/fleet.ts';
import { repository } from '../support/machine.ts';
import { work } from '../support/runner.ts';

/** The command line of a user: Node 20, their own Nix, and sudo for what needs root. */
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ nix: '2.26' });
  const put = (name: string, text: string): void => writeFileSync(fleet.runner.machine.path(`/var/tmp/${name}`), text);
  put('deploy-key', fleet.deployKey.private);
  put('known_hosts', fleet.access['known-hosts'] ?? '');
  put('targets', fleet.access.targets ?? '');
  await fleet.runner.machine.run(['sh', '-c', 'mkdir -p /etc/nix && echo "substituters =" >/etc/nix/nix.conf']);
});
afterAll(() => fleet.stop());

const access = ['--deploy-key', '/var/tmp/deploy-key', '--known-hosts', '@/var/tmp/known_hosts'];
const everywhere = [...access, '--targets', '@/var/tmp/targets'];

async function ferry(...args: string[]) {
  const argv = [work.node20, join(repository, 'dist/cli.js'), ...args];
  const { code, stdout, stderr } = await fleet.runner.run(argv, { allow: [0, 1, 2, 3, 4, 5, 6, 7, 130] });
  expect(stdout + stderr).not.toContain(fleet.deployKey.private.split('\n')[2]);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as Run };
}

test('plan shows each host, its system, its derivation and its target; a second run prints the same', async () => {
  const first = await ferry('plan');
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^router +aarch64-linux +\/nix\/store\/\S+-nixos-system-router-\S+\.drv$/m);
  const again = await ferry('plan', '--json');
  const hosts = again.json().fleet?.hosts.map(({ name, system }) => [name, system]);
  expect(hosts).toEqual([
    ['router', 'aarch64-linux'],
    ['server', 'x86_64-linux'],
  ]);
  for (const { toplevel } of again.json().fleet?.hosts ?? []) expect(first.stdout).toContain(toplevel.drvPath);
});

test('option prints the final value as JSON', async () => {
  const { code, stdout } = await ferry('option', 'router', 'networking.firewall.allowedTCPPorts');
  expect([code, JSON.parse(stdout)]).toEqual([0, [22]]);
});

test('archive, then deploy from the folder of archives, which needs no source', async () => {
  const archived = await ferry('archive', '--archive', 'full');
  expect(archived.code).toBe(0);
  expect(archived.stdout).toContain(`${work.workspace}/archives/closure-server`);
  await fleet.runner.run(['sh', '-c', 'mkdir /var/tmp/empty && mv archives /var/tmp/archives']);
  const deployed = await ferry(
    ...[
      'deploy',
      '--archive',
      '/var/tmp/archives',
      '--allow-unsigned',
      '--source',
      '/var/tmp/empty',
      '--mode',
      'switch',
      '--json',
    ],
    ...everywhere,
  );
  expect(deployed.stderr).not.toContain('evaluating');
  expect(deployed.code).toBe(0);
  for (const { host, outcome, after } of deployed.json().outcomes) {
    expect([host, outcome]).toEqual([host, 'deployed']);
    expect(await fleet[host as 'server' | 'router'].profile()).toBe(after);
  }
  expect(deployed.json().outcomes).toHaveLength(2);
});

test('run has nothing left to do, and prints a line for each host', async () => {
  const { code, stdout } = await ferry('run', '--mode', 'switch', '--archive', 'none', ...everywhere);
  expect(code).toBe(0);
  expect(stdout.match(/^(router|server) .*unchanged: /gm)).toHaveLength(2);
});

test("without --known-hosts and --deploy-key, the user's own ~/.ssh is used, and only host keys that it knows", async () => {
  const own = (file: string, text: string) =>
    fleet.runner.run(['sh', '-euc', 'umask 077; mkdir -p ~/.ssh; cat >~/.ssh/"$0"', file], { input: text });
  await own('config', `Host named\n  HostName ${fleet.server.address}\n  User root\n  IdentityFile ~/.ssh/own-key\n`);
  await own('own-key', fleet.deployKey.private);
  const named = ['--hosts', 'server', '--targets', 'server: root@named', '--archive', 'none'];
  const stranger = await ferry('run', '--mode', 'switch', ...named);
  expect([stranger.code, stranger.stdout]).toEqual([
    7,
    expect.stringContaining(`refused: No host key is pinned for ${fleet.server.address}, `),
  ]);
  expect((await fleet.runner.run(['sh', '-c', 'cat ~/.ssh/known_hosts; :'])).stdout).toBe('');
  await own('known_hosts', `${fleet.server.knownHosts}\n`);
  const known = await ferry('run', '--mode', 'switch', ...named);
  expect([known.code, known.stdout]).toEqual([0, expect.stringMatching(/^server .*unchanged: /m)]);
  await fleet.runner.run(['sh', '-c', 'rm -r ~/.ssh']);
});

test('each kind of failure has its exit code, and invalid input is one line', async () => {
  const unknown = await ferry('deploy', '--mode', 'swich');
  expect([unknown.code, unknown.stderr.trim()]).toEqual([
    2,
    "ferry: --mode: 'swich' is not one of none, dry-activate, test, boot, switch. Did you mean switch?",
  ]);
  expect((await ferry('plan', '--source', '/nowhere')).code).toBe(2);
  const stranger = await ferry(
    'run',
    '--mode',
    'test',
    '--targets',
    'server: root@192.0.2.1',
    '--hosts',
    'server',
    ...access,
  );
  expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining('192.0.2.1')]);

  await fleet.server.stop();
  const half = await ferry('run', '--mode', 'dry-activate', '--archive', 'none', ...everywhere);
  expect(half.code).toBe(7);
  expect(half.stdout).toMatch(/^server .*unreachable: /m);
  expect(half.stdout).toMatch(/^router .*unchanged: /m);

  const assertion = 'assertions = [ { assertion = false; message = "no"; } ];';
  await fleet.change('hosts/server.nix', text => text.replace(/\}\s*$/, `${assertion} }`));
  expect((await ferry('plan')).code).toBe(4);
});

test('the runs leave nothing on the machine', async () => {
  const left = await fleet.runner.machine.run([
    ...[
      'sh',
      '-c',
      'ls -d /run/nix-ferry-* /tmp/ferry-* /proc/sys/fs/binfmt_misc/nix-ferry-* 2>/dev/null; pgrep -a "nix-daemon|ssh-agent"; :',
    ],
  ]);
  expect(left.stdout).toBe('');
  expect(readFileSync(fleet.runner.machine.path('/etc/nix/nix.conf'), 'utf8')).toBe('substituters =\n');
});
