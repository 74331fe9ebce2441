import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { repository } from '../support/machine.ts';
import { bareRunner, serve, theRelease, wholeRelease } from '../support/release.ts';
import { Runner } from '../support/runner.ts';
import { drive } from '../support/setup.ts';

const { version, tarball, sha256 } = theRelease();
const whole = wholeRelease();
const patience = { attempts: 3, stall: 60_000, pause: 20 };
const requests: string[] = [];
let answer: RequestListener;
let server: Awaited<ReturnType<typeof serve>>;
let runner: Runner;

beforeAll(async () => {
  server = await serve((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
});
afterAll(() => server.stop());

describe('from a release', () => {
  beforeAll(async () => {
    runner = await bareRunner();
  });
  afterEach(async () => {
    requests.length = 0;
  });
  afterAll(() => runner.stop());

  /** Orders to install from the server, which then behaves as `behaviour`; and what is left in /nix. */
  async function install(
    behaviour: RequestListener,
    nixVersion = `${version}@sha256:${sha256}`,
    stall = patience.stall,
  ) {
    answer = behaviour;
    const config = { nixVersion, nixSource: server.source, patience: { ...patience, stall } };
    const result = await drive(runner, { config, end: 'teardown' });
    return { ...result, left: (await runner.run(['find', '/nix', '-mindepth', '1'])).stdout };
  }

  test.each<[string, RequestListener, string, number, RegExp]>([
    [
      'a wrong hash',
      whole,
      `${version}@sha256:${'0'.repeat(64)}`,
      1,
      /is not used: its SHA-256 is [0-9a-f]{64}, not 0{64}/,
    ],
    [
      'a truncated file',
      (_request, response) => void response.end(tarball.subarray(0, 1_000_000)),
      `${version}@sha256:${sha256}`,
      1,
      /is not used: its SHA-256 is/,
    ],
    [
      'a file that ends before its length',
      (_request, response) => {
        response.writeHead(200, { 'content-length': tarball.length });
        response.write(tarball.subarray(0, 1_000_000), () => response.destroy());
      },
      `${version}@sha256:${sha256}`,
      3,
      /could not be downloaded after 3 attempts: /,
    ],
    [
      'an HTML page with status 200',
      (_request, response) => void response.end('<!DOCTYPE html><title>Sorry</title>'),
      `${version}@sha256:${sha256}`,
      3,
      /after 3 attempts: the server sent an HTML page/,
    ],
    [
      'an HTML page for the hash',
      (_request, response) => void response.end('<html>Sorry</html>'),
      version,
      3,
      /\.sha256 could not be downloaded after 3 attempts: the server sent an HTML page/,
    ],
    ['status 404', (_request, response) => void response.writeHead(404).end(), '2.99.0', 1, /There is no Nix 2\.99\.0/],
    [
      'a server that hangs',
      () => undefined,
      `${version}@sha256:${sha256}`,
      3,
      /after 3 attempts: the server sent nothing for 0\.5 s/,
    ],
    [
      'a server that hangs in the middle',
      (_request, response) => {
        response.writeHead(200, { 'content-length': tarball.length });
        response.write(tarball.subarray(0, 1000));
      },
      `${version}@sha256:${sha256}`,
      3,
      /after 3 attempts: the server sent nothing for 0\.5 s/,
    ],
  ])('%s is an error, and /nix is unchanged', async (what, behaviour, nixVersion, asked, message) => {
    const { error, left } = await install(behaviour, nixVersion, what.includes('hangs') ? 500 : patience.stall);
    expect(error?.message).toMatch(message);
    expect(error?.cure).toBeTruthy();
    expect(requests).toHaveLength(asked);
    expect(left).toBe('');
  });

  test('without xz there is one error, before anything is downloaded', async () => {
    await runner.machine.run(['mv', '/usr/bin/xz', '/usr/bin/xz.away']);
    const { error, left } = await install(whole);
    await runner.machine.run(['mv', '/usr/bin/xz.away', '/usr/bin/xz']);
    expect(error).toMatchObject({
      name: 'UnpackError',
      message: expect.stringContaining('needs xz, which is not installed'),
    });
    expect(error?.cure).toContain('xz-utils');
    expect(requests).toEqual([]);
    expect(left).toBe('');
  });

  test.each([
    ['for the download', '/var/tmp', /^The disk is full: there is no space to download http/],
    ['for the store', '/nix', /^The release of Nix could not be unpacked: the disk is full\.$/],
  ])('no space %s is one error, and nothing is left', async (_what, directory, message) => {
    const place = directory === '/nix' ? [] : ['-t', 'tmpfs', 'tmpfs'];
    const options = directory === '/nix' ? 'remount,size=20m' : 'size=20m,mode=1777';
    await runner.machine.run(['mount', ...place, '-o', options, directory]);
    const { error, left } = await install(whole);
    if (directory === '/nix') await runner.machine.run(['mount', '-o', 'remount,size=90%', '/nix']);
    else await runner.machine.run(['umount', directory]);
    expect(error?.message).toMatch(message);
    expect(error?.cure).toMatch(/Free space/);
    expect(requests).toHaveLength(1);
    expect(left.replaceAll(/^\/nix\/(store|var|var\/nix|var\/nix\/gcroots)$\n/gm, '')).toBe('');
  });

  test('status 429, then success: as the user runner, after the delay of Retry-After; and without zstd', async () => {
    await runner.machine.run(['rm', '/usr/bin/zstd']);
    let count = 0;
    const {
      error,
      log,
      version: installed,
    } = await install((request, response) => {
      if (++count === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else whole(request, response);
    }, version);
    expect(error).toBeNull();
    expect(installed).toBe(version);
    expect(log.join('\n')).toContain('status 429. Trying again in 1 s');
    expect(log.join('\n')).toContain(
      `trusting the one at ${server.source}/nix-${version}/nix-${version}-x86_64-linux.tar.xz.sha256: ${sha256}`,
    );
  });

  test('the installed Nix is complete, read-only, registered, rooted, and found by the next run', async () => {
    const { stdout: path } = await runner.run(['readlink', '-f', '/nix/var/nix/gcroots/nix-ferry']);
    const nix = `${path.trim()}/bin`;
    await runner.machine.run([`${nix}/nix-store`, '--verify', '--check-contents']);
    const { stdout: writable } = await runner.run(['find', path.trim(), '-perm', '/222', '!', '-type', 'l']);
    expect(writable).toBe('');
    await runner.machine.run([`${nix}/nix-store`, '--gc']);
    await runner.machine.run([`${nix}/nix-store`, '--check-validity', path.trim()]);
    const { error, version: again } = await drive(runner, { end: 'teardown' });
    expect(error).toBeNull();
    expect(again).toBe(version);
    expect(requests).toEqual([]);
  });
});

test('two runs that install at the same time on one machine both get Nix', async () => {
  const bare = await bareRunner();
  answer = whole;
  const order = { config: { nixVersion: `${version}@sha256:${sha256}`, nixSource: server.source } };
  const both = await Promise.all([drive(bare, order), drive(bare, order)]);
  expect(both.map(({ error, version: installed }) => [error, installed])).toEqual([
    [null, version],
    [null, version],
  ]);
  for (const { state } of both) await drive(bare, { state });
  const { stdout } = await bare.run(['sh', '-c', 'ls -A /nix; pgrep nix-daemon || true']);
  expect(stdout).toBe('store\nvar\n');
  await bare.stop();
});

test.each([
  ['reached', ['true'], 'https:\\S+ could not be downloaded after 2 attempts: .*'],
  ['unpacked', ['mv', '/usr/bin/xz', '/usr/bin/xz.away'], 'Unpacking a release of Nix needs xz, .*'],
])("if no release can be %s, the distribution's Nix is used, and a notice says so", async (_, lacking, why) => {
  // No package could be unpacked over bareRunner's bash-static.
  const bare = await Runner.start({ name: 'package' });
  await bare.machine.run(lacking);
  const { error, log, version: installed } = await drive(bare, { config: { patience }, end: 'teardown' });
  await bare.stop();
  expect(error).toBeNull();
  expect(installed).toMatch(/^2\.26\./);
  expect(log.join('\n')).toMatch(
    new RegExp(`^notice: ${why} Using the distribution's Nix 2\\.26\\.\\d+ instead\\.$`, 'm'),
  );
});

test('the tarball of the testbed has the recorded hash', () => {
  expect(createHash('sha256').update(tarball).digest('hex')).toBe(sha256);
});

// How long it takes is measured by `npm run bench`.
test.each(['runner', 'root'])('as %s: one download, and five processes that it waits for', async user => {
  const bare = await bareRunner();
  requests.length = 0;
  answer = whole;
  const order = { config: { nixVersion: `${version}@sha256:${sha256}`, nixSource: server.source } };
  const { error, started } = await drive(bare, order, user);
  await bare.stop();
  expect(error).toBeNull();
  expect(requests).toHaveLength(1);
  const sudo = user === 'root' ? '' : 'sudo -n ';
  expect(started).toEqual([
    ...['prepare', 'users', 'unpack', 'daemon'].map(step =>
      expect.stringMatching(`^${sudo}sh ${repository}/setup/root\\.sh ${step} `),
    ),
    // The proof that the sandbox works.
    expect.stringMatching(/^\S+\/bin\/nix-build /),
  ]);
});
