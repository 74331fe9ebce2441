import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Archive, ArchiveConfig } from '../../src/archive/index.ts';
import type { ExecResult } from '../../src/exec.ts';
import type { ArchiveJob } from './archive-driver.ts';
import { repository } from './testbed/machine.ts';
import { Runner, work } from './testbed/runner.ts';
import { generateKey, startAarch64Target, startSystemdTarget, type Target } from './testbed/target.ts';

/*
 * The embedded fleet is built and archived on a runner; the archives are carried to the targets as files, and installed
 * there with what the targets have: Nix and a shell. There is no network between them.
 */
let runner: Runner;
let signingKey: { secret: string; public: string };
/** By host and text of the greeting: the server's and router's archives, before and after a change. */
const archives = new Map<string, Archive>();
const targets: Target[] = [];

const nixConfig = 'experimental-features = nix-command flakes\nsandbox = false\nsandbox-paths =\nextra-platforms = aarch64-linux\n';
const onRunner = (argv: string[], input?: string) =>
  runner.machine.run(argv, {
    user: 'runner',
    env: { PATH: runner.path, NIX_CONFIG: nixConfig },
    ...(input === undefined ? {} : { input }),
  });
const inside = (script: string, ...args: string[]) => onRunner(['sh', '-euc', script, ...args]);

beforeAll(async () => {
  runner = await Runner.start({ nix: '2.26', emulates: true });
  await inside(
    `cp -R "$0/." ${work.workspace} && cd ${work.workspace} && chmod -R u+w . && sh ./fetch-bootstrap.sh nixpkgs/bootstrap`,
    join(repository, 'examples/embedded'),
  );
  const secret = (await inside('nix key generate-secret --key-name fleet-1')).stdout.trim();
  const converted = await onRunner(['nix', 'key', 'convert-secret-to-public'], secret);
  signingKey = { secret, public: converted.stdout.trim() };
  await makeArchives('before', signingKey.secret);
  await inside(`cd ${work.workspace} && sed -i 's/Welcome to/Hello at/' modules/greeting.nix`);
  await makeArchives('after', signingKey.secret);
  await makeArchives('unsigned', null);
}, 240_000);
afterAll(async () => {
  for (const target of targets) await target.stop();
  await runner?.stop();
});

async function makeArchives(name: string, key: string | null): Promise<void> {
  const attribute = (host: string) => `path:.#nixosConfigurations.${host}.config.system.build.toplevel`;
  const systems = { server: 'x86_64-linux', router: 'aarch64-linux' };
  const built = await inside(
    `cd ${work.workspace} && nix build --no-link --print-out-paths "$@"`,
    'sh',
    ...Object.keys(systems).map(attribute),
  );
  const toplevels = built.stdout.trim().split('\n');
  const config: ArchiveConfig = {
    kind: 'full',
    directory: `/home/runner/archives/${name}`,
    signingKey: key,
    includeSource: false,
    provenance: { commit: 'c'.repeat(40), repository: 'octocat/fleet', run: null, producer: 'nix-ferry test' },
  };
  const hosts = Object.entries(systems).map(([host, system], index) => {
    return { name: host, system, toplevel: toplevels[index] as string };
  });
  const job: ArchiveJob = { hosts, config, nixVersion: '2.26.3' };
  const driver = join(repository, '__tests__/e2e/archive-driver.ts');
  const done = await onRunner([work.node24, driver], JSON.stringify(job));
  for (const made of (JSON.parse(done.stdout) as { archives: Archive[] }).archives) {
    archives.set(`${made.host} ${name}`, made);
  }
}

function made(name: string): Archive {
  const found = archives.get(name);
  if (found === undefined) throw new Error(`there is no archive ${name}`);
  return found;
}

/** Carries an archive to a target, as its /root/NAME; the zip that a browser gives keeps no modes. */
function carry(target: Target, name: string, to: string): string {
  const from = runner.machine.path(made(name).directory);
  const destination = target.machine.path(`/root/${to}`);
  execFileSync('rm', ['-rf', destination]);
  execFileSync('cp', ['-R', '--no-preserve=mode,ownership', from, destination]);
  return `/root/${to}`;
}

function install(target: Target, directory: string, ...args: string[]): Promise<ExecResult> {
  return target.machine.run(['sh', `${directory}/install`, ...args], { allow: [0, 1, 2, 3, 4, 5, 100] });
}

/** All that an install may not change when it refuses. */
async function stateOf(target: Target): Promise<unknown> {
  return {
    profile: await target.profile(),
    current: await target.currentSystem(),
    generations: [...(await target.generations())],
    record: await target.says('sh', '-c', 'cat /var/lib/nix-ferry/deployed.json 2>/dev/null || :'),
    greeting: await target.says('sh', '-c', 'cat /run/greeting 2>/dev/null || :'),
  };
}

describe.each<['server' | 'router', (key: Awaited<ReturnType<typeof generateKey>>) => Promise<Target>]>([
  ['server', deployKey => startSystemdTarget({ name: 'server', deployKey, nixConf: trust() })],
  ['router', deployKey => startAarch64Target({ name: 'router', deployKey, nixConf: trust() })],
])('%s', (host, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start(await generateKey('deploy'));
    targets.push(target);
  }, 120_000);

  test('dry-run changes nothing and says what it found', async () => {
    const directory = carry(target, `${host} before`, 'before');
    const state = await stateOf(target);
    const done = await install(target, directory, '--dry-run');
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    expect(done.stdout).toContain(`${made(`${host} before`).toplevel} is sound`);
    expect(await stateOf(target)).toEqual(state);
    expect(await target.says('sh', '-c', 'ls /nix/store')).not.toContain('nixos-system');
  });

  test('switch', async () => {
    const done = await install(target, '/root/before', 'switch');
    expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
    const { toplevel, digest } = made(`${host} before`);
    expect(await target.profile()).toBe(toplevel);
    expect(await target.currentSystem()).toBe(toplevel);
    const record = JSON.parse(await target.says('cat', '/var/lib/nix-ferry/deployed.json'));
    expect(record).toMatchObject({ host, toplevel, digest, mode: 'switch', commit: 'c'.repeat(40), run: null });
    expect(Date.parse(record.time)).toBeGreaterThan(Date.now() - 100_000);
  });
});

function trust(): string {
  return `trusted-public-keys = ${signingKey.public}\n`;
}
