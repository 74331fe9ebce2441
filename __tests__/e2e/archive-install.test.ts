import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Archive, ArchiveConfig } from '../../src/archive/index.ts';
import type { ExecResult } from '../../src/exec.ts';
import type { ArchiveJob } from './archive-driver.ts';
import { embeddedFleet } from './embedded.ts';
import { repository, root } from './testbed/machine.ts';
import { Runner, work } from './testbed/runner.ts';
import { generateKey, startAarch64Target, startSystemdTarget, type Target, until } from './testbed/target.ts';

/*
 * The embedded fleet is built and archived on a runner; the archives are carried to the targets as files, and installed
 * there with what the targets have: Nix and a shell. There is no network between them.
 */
let runner: Runner;
let signingKey: { secret: string; public: string };
/** By host and text of the greeting: the server's and router's archives, before and after a change. */
const archives = new Map<string, Archive>();
const targets: Target[] = [];

const nixConfig =
  'experimental-features = nix-command flakes\nsandbox = false\nsandbox-paths =\nextra-platforms = aarch64-linux\n';
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
  const stranger = (await inside('nix key generate-secret --key-name fleet-1')).stdout.trim();
  await makeArchives('strange', stranger);
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
    includeSource: name === 'after',
    source: work.workspace,
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

/** The refusal: one line that says why, and nothing on the target is other than before. */
async function refused(target: Target, directory: string, why: RegExp, ...args: string[]): Promise<void> {
  const state = await stateOf(target);
  const done = await install(target, directory, ...args);
  expect(done.stderr).toMatch(/^install: refused: [^\n]*\. This machine is as it was\.\n$/);
  expect(done.stderr).toMatch(why);
  expect(done.code).toBe(1);
  expect(await stateOf(target)).toEqual(state);
}

/** Flips a bit of a file on the target: of the byte after `mark`, or of the one in the middle. */
function flip(target: Target, file: string, mark?: string): void {
  const path = target.machine.path(file);
  const bytes = readFileSync(path);
  const at = mark === undefined ? Math.floor(bytes.length / 2) : bytes.indexOf(mark) + mark.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

/**
 * Programs that stand before those of the same name on PATH: the first call whose words match ends the whole install by
 * SIGKILL, at once or `after` seconds that the real program had.
 */
function layTrap(target: Target, words: string, after: number | null): string {
  const directory = '/root/trap';
  execFileSync('rm', ['-rf', target.machine.path(directory)]);
  mkdirSync(target.machine.path(directory));
  for (const name of ['nix', 'nix-store', 'nix-hash', 'sha256sum', 'sh']) {
    const spring = after === null ? 'kill -KILL 0' : `/usr/bin/${name} "$@" & sleep ${after}; kill -KILL 0`;
    const script = `#!/bin/sh\ncase "${name} $*" in ${words}) ${spring} ;; esac\nexec /usr/bin/${name} "$@"\n`;
    writeFileSync(target.machine.path(`${directory}/${name}`), script, { mode: 0o755 });
  }
  return directory;
}

async function killed(target: Target, directory: string, words: string, after: number | null = null): Promise<void> {
  const PATH = `${layTrap(target, words, after)}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const argv = ['setsid', '--wait', '/usr/bin/sh', `${directory}/install`, 'switch'];
  await expect(target.machine.run(argv, { env: { PATH } })).rejects.toThrow(/137|SIGKILL|KILL/);
}

describe.each<['server' | 'router', (key: Awaited<ReturnType<typeof generateKey>>) => Promise<Target>]>([
  ['server', deployKey => startSystemdTarget({ name: 'server', deployKey, nixConf: trust() })],
  ['router', deployKey => startAarch64Target({ name: 'router', deployKey, nixConf: trust() })],
])('%s', (host, start) => {
  let target: Target;
  const fast = host === 'server';
  beforeAll(async () => {
    target = await start(await generateKey('deploy'));
    targets.push(target);
    carry(target, `${host} before`, 'before');
    carry(target, `${host} after`, 'after');
  }, 120_000);

  test('dry-run changes nothing and says what it found', async () => {
    const state = await stateOf(target);
    const done = await install(target, '/root/before', '--dry-run');
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    expect(done.stdout).toContain(`${made(`${host} before`).toplevel} is sound`);
    expect(await stateOf(target)).toEqual(state);
    expect(await target.says('sh', '-c', 'ls /nix/store')).not.toContain('nixos-system');
  });

  test('switch', async () => {
    const done = await install(target, '/root/before', 'switch');
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    const { toplevel, digest } = made(`${host} before`);
    expect(await target.profile()).toBe(toplevel);
    expect(await target.currentSystem()).toBe(toplevel);
    const record = JSON.parse(await target.says('cat', '/var/lib/nix-ferry/deployed.json'));
    expect(record).toMatchObject({ host, toplevel, digest, mode: 'switch', commit: 'c'.repeat(40), run: null });
    expect(Date.parse(record.time)).toBeGreaterThan(Date.now() - 100_000);
    if (fast) expect(await target.says('cat', '/run/greeting')).toContain('Welcome to server');
  });

  test("another machine's archive", async () => {
    const other = fast ? 'router' : 'server';
    await refused(target, carry(target, `${other} before`, 'other'), /a machine of (aarch64|x86_64)-linux/, 'switch');
    await target.says('hostname', 'elsewhere');
    // The record of the last install says what this machine is, whatever it is called now.
    expect((await install(target, '/root/after', '--dry-run')).code).toBe(0);
    await target.says('mv', '/var/lib/nix-ferry', '/root/records');
    await refused(target, '/root/after', /is of \w+, and this machine is elsewhere .*--host/, 'switch');
    expect((await install(target, '/root/after', '--dry-run', '--host', host)).code).toBe(0);
    await target.says('mv', '/root/records', '/var/lib/nix-ferry');
    await target.says('hostname', host);
  });

  test('an archive that nobody signed, or somebody this machine does not trust', async () => {
    const unsigned = carry(target, `${host} unsigned`, 'unsigned');
    await refused(target, unsigned, /not signed.*--no-check-sigs/, 'switch');
    expect((await install(target, unsigned, '--no-check-sigs', '--dry-run')).code).toBe(0);
    const entries = (await target.says('sh', '-c', 'grep -l nixos-system /root/after/*.narinfo')).split('\n');
    expect(entries.length).toBeGreaterThan(0);
    const strange = carry(target, `${host} strange`, 'strange');
    await refused(target, strange, /untrusted.*trusted-public-keys/, 'switch');
  });

  const flips: [string, string, string | undefined, RegExp][] = [
    ['the manifest', 'manifest.json', '"narSize":', /manifest\.json/],
    ["the manifest's host", 'manifest.json', '"host": "', /./],
    ['the sums', 'SHA256SUMS', undefined, /SHA256SUMS is damaged/],
    ['the installer', 'install', '# Installs the', /install is damaged/],
    ['the script that activates', 'activate.sh', undefined, /activate\.sh is damaged/],
    ['the README', 'README', undefined, /README is damaged/],
    ['the description of the cache', 'nix-cache-info', undefined, /nix-cache-info is damaged/],
    ['an entry of the cache', '*-nixos-system', 'References: ', /narinfo is damaged/],
    ["the manifest's entry", '*-manifest.json', 'NarHash: sha256:', /entry of manifest\.json is damaged/],
    [
      "the word of the manifest's entry that says nothing",
      '*-manifest.json',
      'Refer',
      /entry of manifest\.json is damaged/,
    ],
    ["the manifest's signature", '*-manifest.json', 'Sig: fleet-1:', /untrusted/],
    ['a NAR', 'nar/*', undefined, /./],
  ];
  test.each(fast ? flips : flips.filter(([, file]) => file === 'nar/*'))(
    'a bit flipped in %s',
    async (_, which, mark, why) => {
      const directory = carry(target, `${host} after`, 'flipped');
      let file = `${directory}/${which}`;
      if (which.startsWith('*'))
        file = await target.says(
          'sh',
          '-c',
          `grep -l "StorePath: .*${which.slice(1)}" ${directory}/*.narinfo | head -n 1`,
        );
      if (which === 'nar/*') file = await target.says('sh', '-c', `ls -S ${directory}/nar/* | head -n 1`);
      flip(target, file, mark);
      await refused(target, directory, why, 'switch');
    },
  );

  test.each(fast ? ['*.narinfo', 'nar/*', 'activate.sh', 'manifest.json'] : ['nar/*'])('without %s', async which => {
    const directory = carry(target, `${host} after`, 'missing');
    await target.says('sh', '-c', `rm "$(ls -S ${directory}/${which} | head -n 1)"`);
    await refused(target, directory, /./, 'switch');
  });

  const deaths: [string, string, number | null][] = [
    ['naming the manifest', '"nix-hash "*manifest.json', null],
    ['summing', '"sha256sum -c"*', null],
    ['verifying', '"nix "*"store verify"*', null],
    ['importing, at its begin', '"nix "*copy*', null],
    ['importing, in the midst of it', '"nix "*copy*', fast ? 0.04 : 0.8],
    ['the last check of the import', '"nix-store --check-validity "*nixos-system*', null],
    ['the activation, at its begin', '"sh activate.sh run"*', null],
  ];
  test.each(fast ? deaths : deaths.filter(([step]) => step.includes('midst')))(
    'killed while %s',
    async (_, words, after) => {
      const state = await stateOf(target);
      await killed(target, '/root/after', words, after);
      expect(await stateOf(target)).toEqual(state);
      expect((await target.says('nix-store', '--verify', '--check-contents')).length).toBe(0);
    },
  );

  test('killed in the midst of the activation: it goes on, to the whole of the new system', async () => {
    const { toplevel } = made(`${host} after`);
    await killed(target, '/root/after', '"sh activate.sh run"*', fast ? 0.3 : 3);
    await until(async () => expect(await target.profile()).toBe(toplevel), 'the profile');
    expect(await target.currentSystem()).toBe(toplevel);
    const begun = JSON.parse(await target.says('cat', '/var/lib/nix-ferry/activating.json'));
    expect(begun).toMatchObject({ toplevel, mode: 'switch' });
  });

  test('test, boot, dry-activate', async () => {
    const [before, after] = [made(`${host} before`).toplevel, made(`${host} after`).toplevel];
    const asked = await install(target, '/root/before', 'dry-activate');
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    if (fast) expect(asked.stdout).toContain('would start the following units: greeting.service');
    expect([await target.currentSystem(), await target.profile()]).toEqual([after, after]);
    expect(await install(target, '/root/before', 'test')).toMatchObject({ code: 0, stderr: '' });
    expect([await target.currentSystem(), await target.profile()]).toEqual([before, after]);
    expect(await install(target, '/root/before', 'boot')).toMatchObject({ code: 0, stderr: '' });
    expect([await target.currentSystem(), await target.profile()]).toEqual([before, before]);
    const history = (await target.says('cat', '/var/lib/nix-ferry/history')).split('\n').map(line => JSON.parse(line));
    expect(history.map(({ mode }) => mode)).toEqual(['switch', 'test', 'boot']);
  });

  test('the configuration goes along, and stays where an operator looks', async () => {
    const { toplevel } = made(`${host} after`);
    expect(await install(target, '/root/after', 'switch')).toMatchObject({ code: 0, stderr: '' });
    const link = '/etc/nixos/current-configuration';
    expect(await target.says('readlink', '-f', `${link}/system`)).toBe(toplevel);
    expect(await target.says('cat', `${link}/configuration/modules/greeting.nix`)).toContain('Hello at');
    if (fast) await target.says('nix-collect-garbage');
    expect(await target.says('cat', `${link}/configuration/flake.nix`)).toContain('A small fleet');
  });

  test('a full disk, seen before and met in the midst', async () => {
    const fresh = await start(await generateKey('deploy'));
    targets.push(fresh);
    const directory = carry(fresh, `${host} before`, 'before');
    const whole = made(`${host} before`).insideBytes;
    for (const [room, why] of [
      [`size=${Math.floor(whole / 2)}`, /KiB free and the archive's paths need/],
      ['size=200m,nr_inodes=20', /could not import it.*[Nn]o space left|disk is full/],
    ] as const) {
      await fresh.says('mkdir', '-p', '/nix/store');
      await fresh.says('mount', '-t', 'tmpfs', '-o', room, 'small', '/nix/store');
      await refused(fresh, directory, why, 'switch');
      await fresh.says('umount', '/nix/store');
    }
    await fresh.stop();
  });

  test('what it is not told, and words it does not know', async () => {
    expect((await install(target, '/root/after', 'swich')).code).toBe(2);
    const asUser = { user: 'deploy', allow: [1] };
    await target.says('cp', '-r', '/root/after', '/tmp/after');
    const done = await target.machine.run(['sh', '/tmp/after/install', 'switch'], asUser);
    expect(done.stderr).toBe('install: refused: only root can install a system. This machine is as it was.\n');
  });
});

test.each(['2.8', '2.34'] as const)(
  'with Nix %s, a shell and tools that are busybox, from a folder with a space in its name',
  async version => {
    const fresh = await startSystemdTarget({
      name: 'server',
      deployKey: await generateKey('deploy'),
      nixConf: trust(),
    });
    targets.push(fresh);
    const at = fresh.machine.path('/root/tools');
    mkdirSync(at);
    const fleet = await embeddedFleet();
    execFileSync('cp', [join(fleet, 'nixpkgs/bootstrap/x86_64-linux/busybox'), at]);
    execFileSync(join(at, 'busybox'), ['--install', '-s', at]);
    for (const name of readdirSync(at)) {
      if (name === 'busybox') continue;
      rmSync(join(at, name));
      symlinkSync('busybox', join(at, name));
    }
    execFileSync('mkdir', ['-p', fresh.machine.path('/opt/nix')]);
    execFileSync('cp', ['-R', root(`nix-${version}`), fresh.machine.path(`/opt/nix/${version}`)]);
    const directory = carry(fresh, 'server after', 'closure (1)');
    const PATH = `/root/tools:/opt/nix/${version}/bin`;
    // systemd is there, and its tools with it.
    const argv = ['/root/tools/busybox', 'sh', `${directory}/install`, 'switch'];
    const done = await fresh.machine.run(argv, { env: { PATH }, allow: [0, 1, 2, 3, 5] });
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    expect(await fresh.profile()).toBe(made('server after').toplevel);
    flip(fresh, `${directory}/README`);
    const refusal = await fresh.machine.run([...argv.slice(0, 3), 'boot'], { env: { PATH }, allow: [1] });
    expect(refusal.stderr).toMatch(/README is damaged/);
    await fresh.stop();
  },
);

test('a delta: what is not in it comes from the cache that the machine is configured for, or nothing is done', async () => {
  const [before, after] = [made('server before').toplevel, made('server after').toplevel];
  const cacheKey = (await inside('nix key generate-secret --key-name cache-1')).stdout.trim();
  const cachePublic = (await onRunner(['nix', 'key', 'convert-secret-to-public'], cacheKey)).stdout.trim();
  // A store that has the old system from a cache, which signed it, and of the new one what was built since.
  await inside(
    `umask 077; printf %s "$1" >~/cache-key
     nix copy --to "file://$HOME/cache?compression=zstd&secret-key=$HOME/cache-key" "$2"
     nix copy --to "local?root=$HOME/store" --from "file://$HOME/cache" --option trusted-public-keys "$4" "$2"
     nix copy --to "local?root=$HOME/store" --no-check-sigs "$3"`,
    'sh',
    cacheKey,
    before,
    after,
    cachePublic,
  );
  const nix = { substituters: ['file:///root/cache'], trustedPublicKeys: [cachePublic] };
  const job: ArchiveJob = {
    hosts: [{ name: 'server', system: 'x86_64-linux', toplevel: after, nix }],
    config: {
      kind: 'delta',
      directory: '/home/runner/archives/delta',
      signingKey: signingKey.secret,
      includeSource: false,
      source: null,
      provenance: { commit: null, repository: null, run: null, producer: 'test' },
    },
    nixVersion: '2.26.3',
  };
  const driver = join(repository, '__tests__/e2e/archive-driver.ts');
  const NIX_REMOTE = 'local?root=/home/runner/store';
  const environment = { PATH: runner.path, NIX_CONFIG: nixConfig, NIX_REMOTE };
  const options = { user: 'runner', env: environment, input: JSON.stringify(job) };
  const done = await runner.machine.run([work.node24, driver], options);
  const [delta] = (JSON.parse(done.stdout) as { archives: Archive[] }).archives;
  expect(delta?.paths).toBeLessThan((delta?.closurePaths ?? 0) / 2);
  archives.set('server delta', delta as Archive);

  const nixConf = `substituters = file:///root/cache\ntrusted-public-keys = ${signingKey.public} ${cachePublic}\n`;
  const target = await startSystemdTarget({ name: 'server', deployKey: await generateKey('deploy'), nixConf });
  targets.push(target);
  const directory = carry(target, 'server delta', 'delta');
  await refused(target, directory, /not in the archive cannot be fetched/, 'switch');
  // Nix made an empty one when it looked for it.
  execFileSync('cp', ['-RT', runner.machine.path('/home/runner/cache'), target.machine.path('/root/cache')]);
  expect(await install(target, directory, 'switch')).toMatchObject({ code: 0, stderr: '' });
  expect(await target.profile()).toBe(after);
  expect(await target.says('cat', '/run/greeting')).toContain('Hello at server');
});

function trust(): string {
  return `trusted-public-keys = ${signingKey.public}\n`;
}
