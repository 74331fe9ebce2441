import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ArchiveFixture, flip, install, killed, refused, stateOf } from '../support/archive-fixture.ts';
import { embeddedFleet } from '../support/embedded.ts';
import { root } from '../support/machine.ts';
import {
  generateKey,
  startAarch64Target,
  startSystemdTarget,
  type Target,
  type TargetOptions,
  until,
} from '../support/target.ts';

/*
 * The embedded fleet is built and archived on a runner. The archives are copied to the targets as files and installed there
 * with Nix and a shell only.
 */
let fixture: ArchiveFixture;
const targets: Target[] = [];

beforeAll(async () => {
  fixture = await ArchiveFixture.start();
}, 240_000);
afterAll(async () => {
  for (const target of targets) await target.stop();
  await fixture?.stop();
});

/** A new machine that trusts the fleet's key, and has no network. */
async function startTarget(
  start: (options: TargetOptions) => Promise<Target>,
  name: string,
  nixConf = fixture.trust,
): Promise<Target> {
  const target = await start({ name, deployKey: await generateKey('deploy'), nixConf });
  targets.push(target);
  await target.machine.cutLink();
  return target;
}

describe.each([
  ['server', startSystemdTarget],
  ['router', startAarch64Target],
] as const)('%s', (host, start) => {
  let target: Target;
  const fast = host === 'server';
  beforeAll(async () => {
    target = await startTarget(start, host);
    fixture.copyTo(target, `${host} before`, 'before');
    fixture.copyTo(target, `${host} after`, 'after');
  }, 120_000);

  test('dry-run changes nothing and says what it found', async () => {
    const state = await stateOf(target);
    const done = await install(target, '/root/before', '--dry-run');
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    expect(done.stdout).toContain(`${fixture.archiveOf(`${host} before`).toplevel} is intact`);
    expect(await stateOf(target)).toEqual(state);
    expect(await target.says('sh', '-c', 'ls /nix/store')).not.toContain('nixos-system');
  });

  test('switch', async () => {
    const done = await install(target, '/root/before', 'switch');
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    const { toplevel, digest } = fixture.archiveOf(`${host} before`);
    expect(await target.profile()).toBe(toplevel);
    expect(await target.currentSystem()).toBe(toplevel);
    // An operator who is not root can read it too.
    const said = await target.machine.run(['cat', '/var/lib/nix-ferry/deployed.json'], { user: 'deploy' });
    const record = JSON.parse(said.stdout);
    const from = { commit: 'c'.repeat(40), run: fixture.address };
    expect(record).toMatchObject({ host, toplevel, digest, mode: 'switch', ...from, by: `install of ${host} by root` });
    expect(Date.parse(record.time)).toBeGreaterThan(Date.now() - 100_000);
    if (fast) expect(await target.says('cat', '/run/greeting')).toContain('Welcome to server');
  });

  test("another machine's archive", async () => {
    const other = fast ? 'router' : 'server';
    await refused(
      target,
      fixture.copyTo(target, `${other} before`, 'other'),
      /a machine of (aarch64|x86_64)-linux/,
      'switch',
    );
    await target.says('hostname', 'elsewhere');
    // The record of the last install identifies this machine, even if its host name has changed.
    expect((await install(target, '/root/after', '--dry-run')).code).toBe(0);
    await target.says('mv', '/var/lib/nix-ferry', '/root/records');
    await refused(target, '/root/after', /is of \w+, and this machine is elsewhere .*--host/, 'switch');
    expect((await install(target, '/root/after', '--dry-run', '--host', host)).code).toBe(0);
    await target.says('mv', '/root/records', '/var/lib/nix-ferry');
    await target.says('hostname', host);
  });

  test('an archive that is not signed, or not by a key that this machine trusts', async () => {
    const unsigned = fixture.copyTo(target, `${host} unsigned`, 'unsigned');
    await refused(target, unsigned, /not signed.*--no-check-sigs/, 'switch');
    expect((await install(target, unsigned, '--no-check-sigs', '--dry-run')).code).toBe(0);
    const entries = (await target.says('sh', '-c', 'grep -l nixos-system /root/after/*.narinfo')).split('\n');
    expect(entries.length).toBeGreaterThan(0);
    const untrusted = fixture.copyTo(target, `${host} untrusted`, 'untrusted');
    await refused(target, untrusted, /untrusted.*trusted-public-keys/, 'switch');
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
      "a field of the manifest's entry without a value",
      '*-manifest.json',
      'Refer',
      /entry of manifest\.json is damaged/,
    ],
    // Nix calls a signature that is no longer base64 not valid.
    ["the manifest's signature", '*-manifest.json', 'Sig: fleet-1:', /untrusted|signature is not valid/],
    ['a NAR', 'nar/*', undefined, /./],
  ];
  test.each(fast ? flips : flips.filter(([, file]) => file === 'nar/*'))(
    'a bit flipped in %s',
    async (_, which, mark, why) => {
      const directory = fixture.copyTo(target, `${host} after`, 'flipped');
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
    const directory = fixture.copyTo(target, `${host} after`, 'missing');
    await target.says('sh', '-c', `rm "$(ls -S ${directory}/${which} | head -n 1)"`);
    await refused(target, directory, /./, 'switch');
  });

  const kills: [string, string, number | null][] = [
    ['naming the manifest', '"nix-hash "*manifest.json', null],
    ['summing', '"sha256sum -c"*', null],
    ['verifying', '"nix "*"store verify"*', null],
    ['importing, at its start', '"nix "*copy*', null],
    ['importing, in the middle of it', '"nix "*copy*', fast ? 0.04 : 0.8],
    ['the last check of the import', '"nix-store --check-validity "*nixos-system*', null],
    ['the activation, at its start', '"sh activate.sh run"*', null],
  ];
  test.each(fast ? kills : kills.filter(([step]) => step.includes('middle')))(
    'killed while %s',
    async (_, words, after) => {
      const state = await stateOf(target);
      await killed(target, '/root/after', words, after);
      expect(await stateOf(target)).toEqual(state);
      expect((await target.says('nix-store', '--verify', '--check-contents')).length).toBe(0);
    },
  );

  test('killed during the activation: it continues until the new system is complete', async () => {
    const { toplevel } = fixture.archiveOf(`${host} after`);
    await killed(target, '/root/after', '"sh activate.sh run"*', fast ? 0.3 : 3);
    await until(async () => expect(await target.profile()).toBe(toplevel), 'the profile');
    expect(await target.currentSystem()).toBe(toplevel);
    const deployed = async () => JSON.parse(await target.says('cat', '/var/lib/nix-ferry/deployed.json'));
    await until(async () => expect(await deployed()).toMatchObject({ toplevel, mode: 'switch' }), 'the record');
    expect(await target.says('ls', '/var/lib/nix-ferry')).toBe('deployed.json\nhistory');
  });

  test('test, boot, dry-activate', async () => {
    const [before, after] = [fixture.archiveOf(`${host} before`).toplevel, fixture.archiveOf(`${host} after`).toplevel];
    const asked = await install(target, '/root/before', 'dry-activate');
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    if (fast) expect(asked.stdout).toContain('would start the following units: greeting.service');
    expect([await target.currentSystem(), await target.profile()]).toEqual([after, after]);
    expect(await install(target, '/root/before', 'test')).toMatchObject({ code: 0, stderr: '' });
    expect([await target.currentSystem(), await target.profile()]).toEqual([before, after]);
    expect(await install(target, '/root/before', 'boot')).toMatchObject({ code: 0, stderr: '' });
    expect([await target.currentSystem(), await target.profile()]).toEqual([before, before]);
    const history = (await target.says('cat', '/var/lib/nix-ferry/history')).split('\n').map(line => JSON.parse(line));
    expect(history.map(({ mode }) => mode)).toEqual(['switch', 'switch', 'test', 'boot']);
  });

  test('the configuration is included, and is linked where an operator looks', async () => {
    const { toplevel } = fixture.archiveOf(`${host} after`);
    expect(await install(target, '/root/after', 'switch')).toMatchObject({ code: 0, stderr: '' });
    const link = '/etc/nixos/current-configuration';
    expect(await target.says('readlink', '-f', `${link}/system`)).toBe(toplevel);
    expect(await target.says('cat', `${link}/configuration/modules/greeting.nix`)).toContain('Hello at');
    if (fast) await target.says('nix-collect-garbage');
    expect(await target.says('cat', `${link}/configuration/flake.nix`)).toContain('A small fleet');
  });

  test('a full disk, detected before or in the middle of the install', async () => {
    const fresh = await startTarget(start, host);
    const directory = fixture.copyTo(fresh, `${host} before`, 'before');
    const whole = fixture.archiveOf(`${host} before`).insideBytes;
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

  test('a user other than root, and unknown words', async () => {
    expect((await install(target, '/root/after', 'swich')).code).toBe(2);
    const asUser = { user: 'deploy', allow: [1] };
    await target.says('cp', '-r', '/root/after', '/tmp/after');
    const done = await target.machine.run(['sh', '/tmp/after/install', 'switch'], asUser);
    expect(done.stderr).toBe('install: refused: only root can install a system. This machine was not changed.\n');
  });
});

test.each([
  ['before the profile is set', ''],
  ['after the profile is set', '/usr/bin/nix-env "$@"\n'],
])('an activation whose supervisor is killed %s: the machine goes back, and the next install works', async (_, set) => {
  const target = await startTarget(startSystemdTarget, 'server');
  const [before, after] = [fixture.archiveOf('server before').toplevel, fixture.archiveOf('server after').toplevel];
  expect(await install(target, fixture.copyTo(target, 'server before', 'before'), 'switch')).toMatchObject({ code: 0 });
  const directory = fixture.copyTo(target, 'server after', 'after');
  const trap = target.machine.path('/usr/local/bin/nix-env');
  writeFileSync(trap, `#!/bin/sh\nrm "$0"\n${set}kill -KILL "$PPID"\n`, { mode: 0o755 });
  const cut = await install(target, directory, 'switch');
  expect(cut).toMatchObject({
    code: 3,
    stderr: `install: the activation of ${after} failed (the supervisor was killed in phase commit); this machine is on its previous system again\n`,
  });
  expect([await target.currentSystem(), await target.profile()]).toEqual([before, before]);
  const records = '/var/lib/nix-ferry';
  const record = async () => JSON.parse(await target.says('cat', `${records}/deployed.json`));
  expect(await record()).toMatchObject({ toplevel: before });

  expect(await install(target, directory, 'switch')).toMatchObject({ code: 0 });
  expect(await record()).toMatchObject({ toplevel: after, mode: 'switch' });
  const history = (await target.says('cat', `${records}/history`)).split('\n').map(said => JSON.parse(said).toplevel);
  expect(history).toEqual([before, after]);
  expect(await target.says('ls', records)).toBe('deployed.json\nhistory');
  await target.stop();
});

test.each(['2.8', '2.34'] as const)(
  'with Nix %s, a shell and tools that are busybox, from a folder with a space in its name',
  async version => {
    const fresh = await startTarget(startSystemdTarget, 'server');
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
    const directory = fixture.copyTo(fresh, 'server after', 'closure (1)');
    const PATH = `/root/tools:/opt/nix/${version}/bin`;
    // systemd is there, and its tools with it.
    const argv = ['/root/tools/busybox', 'sh', `${directory}/install`, 'switch'];
    const done = await fresh.machine.run(argv, { env: { PATH }, allow: [0, 1, 2, 3, 5] });
    expect(`${done.code} ${done.stderr}`).toBe('0 ');
    expect(await fresh.profile()).toBe(fixture.archiveOf('server after').toplevel);
    flip(fresh, `${directory}/README`);
    const refusal = await fresh.machine.run([...argv.slice(0, 3), 'boot'], { env: { PATH }, allow: [1] });
    expect(refusal.stderr).toMatch(/README is damaged/);
    await fresh.stop();
  },
);

test('a delta: the machine substitutes the paths that it leaves out, or nothing is changed', async () => {
  const [before, after] = [fixture.archiveOf('server before').toplevel, fixture.archiveOf('server after').toplevel];
  const cacheKey = await fixture.newKey('cache-1');
  // A store that has the old system from a cache, which signed it, and the parts of the new one that were built since.
  await fixture.inside(
    `umask 077; printf %s "$1" >~/cache-key
     nix copy --to "file://$HOME/cache?compression=zstd&secret-key=$HOME/cache-key" "$2"
     nix copy --to "local?root=$HOME/store" --from "file://$HOME/cache" --option trusted-public-keys "$4" "$2"
     nix copy --to "local?root=$HOME/store" --no-check-sigs "$3"`,
    'sh',
    cacheKey.secret,
    before,
    after,
    cacheKey.public,
  );
  const nix = { substituters: ['file:///root/cache'], trustedPublicKeys: [cacheKey.public] };
  await fixture.archive(
    'delta',
    [{ name: 'server', system: 'x86_64-linux', toplevel: after, nix }],
    { archive: 'delta', signingKey: fixture.signingKey.secret },
    { NIX_REMOTE: 'local?root=/home/runner/store' },
  );
  const delta = fixture.archiveOf('server delta');
  expect(delta.paths).toBeLessThan(delta.closurePaths / 2);

  const keys = `${fixture.signingKey.public} ${cacheKey.public}`;
  const nixConf = `substituters = file:///root/cache\ntrusted-public-keys = ${keys}\n`;
  const target = await startTarget(startSystemdTarget, 'server', nixConf);
  const directory = fixture.copyTo(target, 'server delta', 'delta');
  await refused(target, directory, /not in the archive could not be fetched/, 'switch');
  // An attacker of this machine's caches: the same store path with other contents, signed by a key that it trusts.
  const manifest = JSON.parse(await target.says('cat', `${directory}/manifest.json`));
  const outside = manifest.paths.find(({ inside }: { inside: boolean }) => !inside).path as string;
  const plant = 'echo planted >"$0" && printf "%s\\n\\n0\\n" "$0" | nix-store --register-validity';
  await target.says('sh', '-c', plant, outside);
  await refused(target, directory, new RegExp(`${outside} on this machine differs`), '--dry-run');
  await refused(target, directory, new RegExp(`${outside} on this machine differs`), 'switch');
  await target.says('nix-store', '--delete', '--ignore-liveness', outside);
  // Nix made an empty one when it looked for it.
  execFileSync('cp', ['-RT', fixture.runner.machine.path('/home/runner/cache'), target.machine.path('/root/cache')]);
  expect(await install(target, directory, 'switch')).toMatchObject({ code: 0, stderr: '' });
  expect(await target.profile()).toBe(after);
  expect(await target.says('cat', '/run/greeting')).toContain('Hello at server');
});
