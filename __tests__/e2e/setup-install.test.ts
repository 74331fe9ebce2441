import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { testAddress } from './testbed/link.ts';
import { root } from './testbed/machine.ts';
import { Runner } from './testbed/runner.ts';
import { drive } from './testbed/setup.ts';

const version =
  readdirSync(root('release'))
    .find(name => name.startsWith('nix-'))
    ?.slice(4) ?? '';
const name = `nix-${version}-x86_64-linux.tar.xz`;
const tarball = readFileSync(join(root('release'), `nix-${version}`, name));
const sha256 = readFileSync(join(root('release'), `nix-${version}`, `${name}.sha256`), 'utf8');

let server: Server;
let source: string;
let answer: RequestListener;
const requests: string[] = [];
let runner: Runner;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, resolve));
  source = `http://${testAddress}:${(server.address() as AddressInfo).port}/nix`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const whole: RequestListener = (request, response) => {
  const hash = request.url?.endsWith('.sha256');
  if (request.url !== `/nix/nix-${version}/${name}${hash ? '.sha256' : ''}`) return void response.writeHead(404).end();
  response.end(hash ? sha256 : tarball);
};
const patience = { attempts: 3, stall: 500, pause: 20 };

/** The release is made from Debian's Nix, whose sandbox has Debian's bash-static as its shell. */
const shell = { [join(root('nix-2.34'), 'libexec/bash-static')]: '/usr/bin/bash-static' };

async function bareRunner(): Promise<Runner> {
  const release = join(root('release'), `nix-${version}`);
  const bare = await Runner.start({ name: 'bare', readOnly: { [release]: '/release', ...shell } });
  return bare;
}

describe('from a release', () => {
  beforeAll(async () => {
    runner = await bareRunner();
  });
  afterEach(async () => {
    requests.length = 0;
  });
  afterAll(() => runner.stop());

  /** Orders to install from the server, which then behaves as `behaviour`; and what is left in /nix. */
  async function install(behaviour: RequestListener, nixVersion = `${version}@sha256:${sha256}`) {
    answer = behaviour;
    const result = await drive(runner, { config: { nixVersion, nixSource: source, patience }, end: 'teardown' });
    return { ...result, left: (await runner.run(['find', '/nix', '-mindepth', '1'])).stdout };
  }

  test.each<[string, RequestListener, string, number, RegExp]>([
    ['a wrong hash', whole, `${version}@sha256:${'0'.repeat(64)}`, 1, /has the SHA-256 [0-9a-f]{64}, not 0{64}/],
    [
      'a truncated file',
      (_request, response) => void response.end(tarball.subarray(0, 1_000_000)),
      `${version}@sha256:${sha256}`,
      1,
      /has the SHA-256/,
    ],
    [
      'a file that ends before its length',
      (_request, response) => {
        response.writeHead(200, { 'content-length': tarball.length });
        response.write(tarball.subarray(0, 1_000_000), () => response.destroy());
      },
      `${version}@sha256:${sha256}`,
      3,
      /cannot be had: .*3 times/,
    ],
    [
      'an HTML page with status 200',
      (_request, response) => void response.end('<!DOCTYPE html><title>Sorry</title>'),
      `${version}@sha256:${sha256}`,
      3,
      /answers with an HTML page, 3 times/,
    ],
    [
      'an HTML page for the hash',
      (_request, response) => void response.end('<html>Sorry</html>'),
      version,
      3,
      /\.sha256 cannot be had: it answers with an HTML page/,
    ],
    ['status 404', (_request, response) => void response.writeHead(404).end(), '2.99.0', 1, /There is no Nix 2\.99\.0/],
    ['a server that hangs', () => undefined, `${version}@sha256:${sha256}`, 3, /it sent nothing for 0\.5 s, 3 times/],
    [
      'a server that hangs in the middle',
      (_request, response) => {
        response.writeHead(200, { 'content-length': tarball.length });
        response.write(tarball.subarray(0, 1000));
      },
      `${version}@sha256:${sha256}`,
      3,
      /it sent nothing for 0\.5 s, 3 times/,
    ],
  ])('%s is an error, and /nix is as it was', async (_what, behaviour, nixVersion, asked, message) => {
    const { error, left } = await install(behaviour, nixVersion);
    expect(error?.message).toMatch(message);
    expect(error?.cure).toBeTruthy();
    expect(requests).toHaveLength(asked);
    expect(left).toBe('');
  });

  test('status 429, then success: as the user runner, with what Retry-After says', async () => {
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
    expect(log.join('\n')).toContain('status 429; again in 1 s');
    expect(log.join('\n')).toContain(`is trusted, ${sha256}`);
  });

  test('what was installed is whole, read-only, registered, rooted, and found by the next run', async () => {
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

describe('speed', () => {
  test.each(['runner', 'root'])('as %s: at most 1.1 times untar and load-db alone', async user => {
    answer = whole;
    const [ours, byHand]: [number[], number[]] = [[], []];
    for (let round = 0; round < 3; round++) {
      const bare = await bareRunner();
      try {
        const { stdout } = await bare.machine.run(['sh', '-euc', handInstall, 'sh', `/release/${name}`]);
        byHand.push(Number(stdout.trim().split('\n').at(-1)));
        await bare.machine.run(['sh', '-c', 'rm -rf /nix/* /tmp/unpacked']);
        const order = { config: { nixVersion: `${version}@sha256:${sha256}`, nixSource: source } };
        const { error, seconds } = await drive(bare, order, user);
        expect(error).toBeNull();
        ours.push(seconds.answers - seconds.begun);
      } finally {
        await bare.stop();
      }
    }
    const show = (all: number[]): string => all.map(each => each.toFixed(2)).join(', ');
    console.log(`set-up as ${user}: ${show(ours)} s; untar and load-db by hand: ${show(byHand)} s`);
    expect(Math.min(...ours) / Math.min(...byHand)).toBeLessThanOrEqual(1.1);
  });
});

/** The official single steps: untar, copy into the store, load the database; prints the seconds of untar and load-db. */
const handInstall = `
  mkdir -p /tmp/unpacked /nix/store
  a=$(date +%s%N)
  tar --extract --file "$1" --directory /tmp/unpacked
  b=$(date +%s%N)
  top=$(echo /tmp/unpacked/*)
  cp -R --preserve=mode,timestamps "$top"/store/* /nix/store/
  chmod -R a-w /nix/store/*
  nix=$(sed -n 's/^nix="\\(.*\\)"$/\\1/p' "$top/install")
  c=$(date +%s%N)
  "$nix/bin/nix-store" --load-db <"$top/.reginfo"
  d=$(date +%s%N)
  "$nix/bin/nix" --version >/dev/null
  echo "$a $b $c $d" | awk '{ print (($2 - $1) + ($4 - $3)) / 1e9 }'
`;

test('the tarball of the testbed is what its hash says', () => {
  expect(createHash('sha256').update(tarball).digest('hex')).toBe(sha256);
  expect(existsSync('/nix/store')).toBe(false);
});
