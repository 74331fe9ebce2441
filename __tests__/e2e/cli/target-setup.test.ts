import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Run } from '../../../src/report/index.ts';
import { Fleet } from '../support/fleet.ts';
import { signingKey } from '../support/keys.ts';
import { repository } from '../support/machine.ts';
import { giveSystemctl } from '../support/mock-systemctl.ts';
import { work } from '../support/runner.ts';
import { generateKey, type Target } from '../support/target.ts';
import { likeNixos } from '../support/target-setup-fixture.ts';

// `ferry target-setup` for two machines that had nothing, one of each system, and everything else with the restricted keys.

let fleet: Fleet;
const signing = signingKey('fleet-1');
const secretText = 'a-secret-for-a-machine-that-was-set-up';

beforeAll(async () => {
  fleet = await Fleet.start({ nix: '2.26' });
  await Promise.all(fleet.targets.map(likeNixos));
  await giveSystemctl(fleet.router);
  const put = (name: string, text: string): void => writeFileSync(fleet.runner.machine.path(`/var/tmp/${name}`), text);
  const [deploy, preview] = [await generateKey('deploy-only'), await generateKey('preview-only')];
  put('admin', fleet.deployKey.private);
  put('deploy', deploy.private);
  put('deploy.pub', `${deploy.public}\n`);
  put('preview', preview.private);
  put('preview.pub', `${preview.public}\n`);
  put('signing', signing.secret);
  put('known_hosts', fleet.access['known-hosts'] ?? '');
  put('admins', fleet.access.targets ?? '');
  await fleet.runner.machine.run(['sh', '-c', 'mkdir -p /etc/nix && echo "substituters =" >/etc/nix/nix.conf']);
  const declared = `ferry.server.secrets.db = { source.env = "DB"; destination = "/run/keys/db"; };
      nixosConfigurations = {`;
  await fleet.change('flake.nix', text => text.replace('nixosConfigurations = {', () => declared));
}, 600_000);
afterAll(() => fleet?.stop());

async function ferry(...args: string[]) {
  const argv = [...['env', `FERRY_SECRET_DB=${secretText}`, work.node20, join(repository, 'dist/cli.js')], ...args];
  const hosts = ['--known-hosts', '@/var/tmp/known_hosts'];
  const { code, stdout, stderr } = await fleet.runner.run([...argv, ...hosts], { allow: [0, 1, 2, 3, 4, 5, 6, 7] });
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as Run };
}

const keys = [
  ...['--gate-deploy-keys', '@/var/tmp/deploy.pub', '--gate-preview-keys', '@/var/tmp/preview.pub'],
  ...['--gate-signing-keys', signing.public],
];
const setUp = (host: string, ...args: string[]) =>
  ferry(...['target-setup', host, '--targets', '@/var/tmp/admins', '--deploy-key', '/var/tmp/admin'], ...args);

/** A command with only a restricted key. */
function restricted(key: 'deploy' | 'preview', command: string, ...args: string[]) {
  const at = ({ address }: Target): string => `nix-ferry@${address}`;
  const targets = JSON.stringify({ server: at(fleet.server), router: at(fleet.router) });
  return ferry(command, '--targets', targets, '--deploy-key', `/var/tmp/${key}`, '--json', ...args);
}
const outcomes = ({ json }: Awaited<ReturnType<typeof ferry>>): Record<string, string> =>
  Object.fromEntries(json().outcomes.map(({ host, outcome }) => [host, outcome]));
const signed = ['--signing-key', '/var/tmp/signing'];
// An emulated machine may need long to answer.
const run = ['--mode', 'switch', '--archive', 'none', '--confirm-timeout', '300', ...signed];
const systems = (): Promise<(string | null)[]> => Promise.all(fleet.targets.map(target => target.currentSystem()));

test('wrong flags are one line and exit code 2, a machine that cannot be set up is 7', async () => {
  const none = await setUp('server');
  expect([none.code, none.stderr.trim()]).toEqual([
    2,
    expect.stringMatching(/^ferry: There is no key for the gate\. [^\n]*$/),
  ]);
  const typo = await setUp('server', ...keys, '--gate-hots', 'x');
  expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining('Did you mean --gate-host?')]);
  const help = await ferry('target-setup', '--help');
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('--gate-preview-keys VALUE')]);
  await fleet.server.says('mv', '/etc/NIXOS', '/etc/NIXOS.away');
  const other = await setUp('server', ...keys);
  await fleet.server.says('mv', '/etc/NIXOS.away', '/etc/NIXOS');
  const message = `error: ${fleet.server.address} cannot be set up: it does not run NixOS.`;
  expect([other.code, other.stdout, other.stderr]).toEqual([7, '', expect.stringContaining(message)]);
}, 120_000);

test.each(['server', 'router'])(
  '%s is set up',
  async host => {
    const { code, stdout, stderr } = await setUp(host, ...keys);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(stdout).toContain(`The gate of ${host} accepts these keys now.`);
    expect(stdout).toContain(`signingKeys = [\n      "${signing.public}"\n    ];`);
    const again = await setUp(host, ...keys);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('nothing was changed')]);
  },
  300_000,
);

test('both are deployed and confirmed with the deploy key, with their secrets', async () => {
  // From here on, root's key is not accepted any more.
  for (const target of fleet.targets) await target.says('sh', '-c', ': > /etc/ssh/authorized_keys');
  const result = await restricted('deploy', 'run', ...run);
  expect(outcomes(result)).toEqual({ server: 'deployed', router: 'deployed' });
  expect(await fleet.server.says('cat', '/run/keys/db')).toBe(secretText);
}, 600_000);

test('a change of both is previewed with the preview key, which cannot deploy it', async () => {
  await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Hello at'));
  const before = await systems();
  const shown = await restricted('preview', 'preview');
  expect(shown.code).toBe(0);
  expect(shown.json().previews.map(each => [each.host, each.known])).toEqual([
    ['router', true],
    ['server', true],
  ]);
  expect(outcomes(await restricted('preview', 'run', ...run))).toEqual({ server: 'refused', router: 'refused' });
  expect(await systems()).toEqual(before);
}, 600_000);

test('a system whose check fails is taken back on both', async () => {
  const before = await systems();
  const healthChecks = { cmd: [{ description: 'never', cmd: ['false'] }] };
  const at = ({ address }: Target) => ({ address: `nix-ferry@${address}`, healthChecks });
  const targets = JSON.stringify({ server: at(fleet.server), router: at(fleet.router) });
  const more = ['--health-timeout', '2', '--max-failures', '2', '--targets', targets];
  const result = await restricted('deploy', 'run', ...run, ...more);
  expect(outcomes(result)).toEqual({ server: 'rolled-back', router: 'rolled-back' });
  expect(await systems()).toEqual(before);
}, 600_000);

test('the change is deployed, and secrets are sent alone', async () => {
  expect(outcomes(await restricted('deploy', 'run', ...run))).toEqual({ server: 'deployed', router: 'deployed' });
  await fleet.server.says('rm', '/run/keys/db');
  const sent = await restricted('deploy', 'secrets', ...signed);
  expect(outcomes(sent)).toMatchObject({ server: 'deployed' });
  expect(await fleet.server.says('cat', '/run/keys/db')).toBe(secretText);
}, 600_000);
