import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ArchiveConfig, archive, fetchArchives, importArchive, readArchive } from '../../../src/archive/index.ts';
import { artifactStore } from '../../../src/archive/upload.ts';
import { exec } from '../../../src/exec.ts';
import { Stores } from '../support/archive-stores.ts';
import { ResultsService, type StoredArtifact } from '../support/results.ts';

/*
 * The real @actions/artifact and @actions/cache, with the results service on loopback. A small mock replaces GitHub's REST
 * API, from which the artifacts of other runs are requested.
 */
let stores: Stores;
let results: ResultsService;
let rest: Server;
/** The artifacts of run 7, and when they expire. */
const earlier: StoredArtifact[] = [];
let expiry = { expired: false, expires_at: '2126-01-01T00:00:00Z' };
const asked: string[] = [];
const own = { event: 'push', head_branch: 'main', head_repository: { full_name: 'octocat/fleet' } };
let run7: object = own;

beforeAll(async () => {
  stores = await Stores.create('2.26');
  results = await ResultsService.start('127.0.0.1');
  rest = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const json = { 'content-type': 'application/json' };
    if (url === '/repos/octocat/fleet/actions/runs/7')
      return void response.writeHead(200, json).end(JSON.stringify(run7));
    const id = Number(/artifacts\/(\d+)\/zip/.exec(url)?.[1]);
    if (id > 0 && !earlier.some(artifact => artifact.id === id)) {
      response.writeHead(404, json).end('{"message":"Not Found"}');
    } else if (url.startsWith('/blob/')) {
      response.writeHead(200, { 'content-type': 'application/zip' }).end(earlier[Number(url.slice(6))]?.zip);
    } else if (id > 0) {
      const index = earlier.findIndex(artifact => artifact.id === id);
      const { port } = rest.address() as AddressInfo;
      response.writeHead(302, { location: `http://127.0.0.1:${port}/blob/${index}` }).end();
    } else if (/^\/repos\/octocat\/fleet\/actions\/artifacts\/\d+$/.test(url)) {
      const found = earlier.find(artifact => url.endsWith(`/${artifact.id}`));
      if (found === undefined) response.writeHead(404, json).end('{}');
      else response.writeHead(200, json).end(JSON.stringify({ id: found.id, digest: found.digest, ...expiry }));
    } else if (/^\/repos\/octocat\/fleet\/actions\/runs\/7\/artifacts/.test(url)) {
      const artifacts = earlier.map(({ id, name, zip, digest }) => {
        return { id, name, digest, size_in_bytes: zip.length, created_at: '2026-01-01T00:00:00Z' };
      });
      response.writeHead(200, json).end(JSON.stringify({ total_count: artifacts.length, artifacts }));
    } else response.writeHead(404, json).end('{}');
  });
  await new Promise<void>(resolve => rest.listen(0, '127.0.0.1', resolve));
  const { port } = rest.address() as AddressInfo;
  Object.assign(process.env, results.environment(), {
    GITHUB_API_URL: `http://127.0.0.1:${port}`,
    GITHUB_WORKSPACE: stores.scratch,
    RUNNER_TEMP: stores.scratch,
    HOME: stores.scratch,
  });
});
afterAll(async () => {
  await results.stop();
  rest.close();
  rest.closeAllConnections();
  await stores.remove();
});

const config = (rest: Partial<ArchiveConfig> = {}): ArchiveConfig => ({
  archive: 'full',
  directory: join(stores.scratch, 'archives'),
  signingKey: null,
  includeSource: false,
  source: null,
  provenance: {
    commit: null,
    repository: 'octocat/fleet',
    branch: 'main',
    committed: 2000,
    run: 'https://github.com/octocat/fleet/actions/runs/7',
    producer: 'test',
  },
  ...rest,
});
const github = (run: number, token: string | null = 'ghs_token', secret: string | null = 'fleet-1:secret') => {
  const api = process.env.GITHUB_API_URL as string;
  return artifactStore({ token, secret, repository: 'octocat/fleet', run, ref: 'main', api }, stores.context);
};

test('one artifact per host; Nix reads it when it is unzipped', async () => {
  const nix = await stores.newStore();
  const hosts = [await stores.build(nix, 'web1'), await stores.build(nix, 'web2')];
  const made = await archive(hosts, config(), nix, stores.context, github(7));
  expect(made.map(({ artifact }) => artifact?.name)).toEqual(['closure-web1', 'closure-web2']);
  const stored = results.artifact('closure-web1');
  expect(made[0]?.artifact).toEqual({
    name: 'closure-web1',
    id: stored.id,
    digest: stored.digest,
    bytes: stored.zip.length,
    run: null,
  });
  // Nothing is compressed twice: the zip is as large as its files and its directory.
  expect(stored.zip.length).toBeGreaterThan(made[0]?.bytes ?? 0);
  const zip = join(stores.scratch, 'web1.zip');
  await writeFile(zip, stored.zip);
  const read = await readArchive(zip, stores.context);
  expect(read.digest).toBe(made[0]?.digest);
  const empty = await stores.newStore();
  await empty.run('nix', ['copy', '--no-check-sigs', '--from', `file://${read.directory}`, read.toplevel]);
  const hashes = (infos: { path: string; narHash: string }[]) =>
    infos.map(({ path, narHash }) => path + narHash).sort();
  expect(hashes(await empty.closure([read.toplevel]))).toEqual(hashes(hosts[0]?.closure ?? []));
  // The run is in a separate file, since the archive has the same bytes in every run.
  expect(JSON.parse(await readFile(join(read.directory, 'run.json'), 'utf8')).run).toMatch(/runs\/7$/);
  expect((await exec('ls', [made[0]?.directory ?? ''])).stdout).not.toContain('run.json');
});

test('a later job of the run downloads them, with the digests that they were uploaded with', async () => {
  const directory = await mkdtemp(join(stores.scratch, 'fetched-'));
  const all = await fetchArchives(null, null, directory, github(7));
  expect(all.map(({ host }) => host)).toEqual(['web1', 'web2']);
  const some = await fetchArchives(['web2'], null, directory, github(7));
  const nix = await stores.newStore();
  for (const one of some) await importArchive(one, [], nix, args => nix.run('nix', args), stores.context);
  expect((await nix.closure([some[0]?.toplevel ?? ''])).length).toBe(43);
  await expect(fetchArchives(['web3'], null, directory, github(7))).rejects.toThrow(/no archive of web3/);
});

test('an unchanged archive is not uploaded again by a later run, which refers to the earlier artifact', async () => {
  const before = results.artifact('closure-web1');
  earlier.push(...results.artifacts.splice(0));
  const nix = await stores.newStore();
  const hosts = [await stores.build(nix, 'web1'), await stores.build(nix, 'web2', 'changed')];
  const later = config({
    provenance: { ...config().provenance, commit: 'd'.repeat(40), run: 'https://example.org/8' },
  });
  const made = await archive(hosts, later, nix, stores.context, github(8));
  const [first, second] = made.map(({ artifact }) => artifact);
  expect(first).toMatchObject({ name: 'closure-web1', id: before.id, run: 7, digest: before.digest });
  expect(second).toMatchObject({ name: 'closure-web2', run: null });
  // For the unchanged one this run has a small reference, with which a later job finds it.
  expect(results.artifact('closure-web1').zip.length).toBeLessThan(500);
  expect(results.artifact('closure-web2').zip.length).toBeGreaterThan(before.zip.length / 2);
  for (const run of [7, null]) {
    const directory = await mkdtemp(join(stores.scratch, 'run-'));
    const [fetched] = await fetchArchives(['web1'], run, directory, github(8));
    expect(fetched?.digest).toBe(made[0]?.digest);
    expect(await readdir(fetched?.directory ?? '')).not.toContain('reference.json');
    // The archive is older than the commit of the run that refers to it, which must not be taken for an older one.
    expect(fetched?.manifest).toMatchObject(
      run === null ? { branch: null, committed: null } : { branch: 'main', committed: 2000 },
    );
  }
  const gone = earlier.splice(0);
  const fetched = fetchArchives(['web1'], null, stores.scratch, github(8));
  await expect(fetched).rejects.toThrow(
    /closure-web1 is an artifact of run 7 and could not be downloaded from there: /,
  );
  earlier.push(...gone);
});

test.each([
  ['has expired', { expired: true, expires_at: '2026-01-01T00:00:00Z' }],
  ['expires within a day', { expired: false, expires_at: new Date(Date.now() + 3600_000).toISOString() }],
])('an archive whose earlier artifact %s is uploaded', async (_, end) => {
  expiry = end;
  results.nextAttempt();
  Object.assign(process.env, results.environment());
  const nix = await stores.newStore();
  const made = await archive([await stores.build(nix, 'web1')], config(), nix, stores.context, github(9));
  expect(made[0]?.artifact).toMatchObject({ run: null, id: results.artifacts.at(-1)?.id });
  expect(results.artifacts.at(-1)?.zip.length).toBeGreaterThan(made[0]?.bytes ?? 0);
  // The next run finds the new one, not the one that is gone.
  earlier.splice(0, earlier.length, ...results.artifacts.splice(0));
  expiry = { expired: false, expires_at: '2126-01-01T00:00:00Z' };
  const again = await archive([await stores.build(nix, 'web1')], config(), nix, stores.context, github(10));
  expect(again[0]?.artifact).toMatchObject({ run: 9, id: made[0]?.artifact?.id });
  results.artifacts.splice(0);
});

test('an archive whose earlier artifact was deleted is uploaded', async () => {
  earlier.splice(0);
  const nix = await stores.newStore();
  const made = await archive([await stores.build(nix, 'web1')], config(), nix, stores.context, github(11));
  expect(made[0]?.artifact?.run).toBeNull();
  expect(results.artifact('closure-web1').id).toBe(made[0]?.artifact?.id);
});

test.each([
  ['the same attempt, as by another step', () => undefined],
  ['another attempt of the run', () => results.nextAttempt()],
])('what is newest in a run is what its later jobs get: %s', async (_, begin) => {
  results.artifacts.splice(0);
  const nix = await stores.newStore();
  // A, then B, then A again: an older A of the same run does not count. The second B was made without a token.
  for (const [text, token] of [['as it was'], ['changed'], ['as it was'], ['changed', null]] as const) {
    begin();
    Object.assign(process.env, results.environment());
    const store = github(12, token);
    const [made] = await archive([await stores.build(nix, 'web1', text)], config(), nix, stores.context, store);
    const directory = await mkdtemp(join(stores.scratch, 'newest-'));
    const [fetched] = await fetchArchives(['web1'], null, directory, github(12, null));
    expect(fetched?.toplevel).toBe(made?.toplevel);
    expect(fetched?.artifact?.id).toBe(made?.artifact?.id);
  }
});

test('two hosts never share a folder or an artifact, whatever their names', async () => {
  results.artifacts.splice(0);
  results.nextAttempt();
  Object.assign(process.env, results.environment());
  const nix = await stores.newStore();
  const [one, other] = [await stores.build(nix, 'web1'), await stores.build(nix, 'web2')];
  const named = (host: typeof one, name: string) => ({ ...host, host: { ...host.host, name } });
  const directory = await mkdtemp(join(stores.scratch, 'archives-'));
  // Two jobs of a matrix: neither knows the other's host.
  await archive([named(one, 'a/b')], config({ directory }), nix, stores.context, github(13));
  await archive([named(other, 'a_b')], config({ directory }), nix, stores.context, github(13));
  expect((await readdir(directory)).sort()).toEqual(['closure-a_b', 'closure-a~2f~b']);
  const fetched = await fetchArchives(['a/b', 'a_b'], null, join(stores.scratch, 'both'), github(13));
  expect(fetched.map(({ toplevel }) => toplevel)).toEqual([one, other].map(({ toplevel }) => toplevel));
});

describe('an attacker', () => {
  test.each([
    ['of a fork', { ...own, head_repository: { full_name: 'mallory/fleet' } }, /ran the code of mallory\/fleet/],
    ['of a deleted fork', { ...own, head_repository: null }, /ran the code of an unknown repository/],
    ['for a pull request', { ...own, event: 'pull_request' }, /its event is pull_request/],
    ['of an unreviewed branch', { ...own, head_branch: 'try' }, /ran on try, and this run is on main/],
  ])('who uploads archives in a run %s gets none of them deployed', async (_, run, why) => {
    run7 = run;
    const fetching = fetchArchives(null, 7, stores.scratch, github(8));
    await expect(fetching).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(why) });
    run7 = own;
  });

  const recordOf = () => results.caches.at(-1) as { content: Buffer };

  test('who writes records of artifacts to the cache cannot choose what is deployed', async () => {
    results.artifacts.splice(0);
    results.nextAttempt();
    Object.assign(process.env, results.environment());
    const nix = await stores.newStore();
    const host = await stores.build(nix, 'web1', 'recorded');
    const [made] = await archive([host], config(), nix, stores.context, github(7));
    expect(recordOf()).toBeDefined();
    earlier.splice(0, earlier.length, ...results.artifacts.splice(0));
    // The same run with another key: it cannot authenticate this record.
    const [again] = await archive([host], config(), nix, stores.context, github(8, 'ghs_token', 'fleet-1:other'));
    expect(again?.artifact).toMatchObject({ run: null });
    expect(again?.artifact?.id).not.toBe(made?.artifact?.id);
    // Without a key, nothing can be authenticated.
    results.artifacts.splice(0);
    const [without] = await archive([host], config(), nix, stores.context, github(9, 'ghs_token', null));
    expect(without?.artifact).toMatchObject({ run: null });
  });

  test('who replaces the artifact that a reference names is detected by the digest', async () => {
    results.artifacts.splice(0);
    results.nextAttempt();
    Object.assign(process.env, results.environment());
    const nix = await stores.newStore();
    await archive([await stores.build(nix, 'web1', 'good')], config(), nix, stores.context, github(7));
    const good = results.artifacts.splice(0);
    earlier.splice(0, earlier.length, ...good);
    const host = await stores.build(nix, 'web1', 'good');
    const [made] = await archive([host], config(), nix, stores.context, github(8));
    expect(made?.artifact).toMatchObject({ run: 7 });
    const references = results.artifacts.splice(0);
    results.nextAttempt();
    Object.assign(process.env, results.environment());
    await archive([await stores.build(nix, 'web1', 'evil')], config(), nix, stores.context, github(9));
    const [evil] = results.artifacts.splice(0);
    // GitHub's own digest matches too: only the content differs from what this run made.
    const id = good[0]?.id ?? 0;
    earlier.splice(0, earlier.length, { ...(evil as StoredArtifact), id });
    const [reference] = references;
    const store = github(8);
    const swapped = {
      ...store,
      list: async () => [{ name: 'closure-web1', id: 1, digest: '', bytes: 1, run: null }],
      download: async (artifact: { id: number }, directory: string) => {
        const zip = join(await mkdtemp(join(stores.scratch, 'zip-')), 'a.zip');
        await writeFile(zip, (artifact.id === 1 ? reference?.zip : evil?.zip) ?? '');
        await exec('unzip', ['-q', zip, '-d', directory]);
      },
    };
    await expect(fetchArchives(['web1'], null, stores.scratch, swapped)).rejects.toThrow(
      'is not the archive that this run made',
    );
  });
});

test('without a token the artifacts of another run cannot be read, and the error names the permission', async () => {
  await expect(fetchArchives(null, 7, stores.scratch, github(8, null))).rejects.toMatchObject({
    where: { input: 'github-token' },
  });
});

test.each(['upload', 'list', 'download'])(
  'a service that accepts the connection and never answers ends the %s after its limit',
  async what => {
    const silent = createServer(() => undefined);
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { ACTIONS_RESULTS_URL } = process.env;
    process.env.ACTIONS_RESULTS_URL = `${url}/`;
    const access = { token: 'ghs_token', secret: null, repository: 'octocat/fleet', run: 9, ref: 'main', api: url };
    const store = artifactStore(access, stores.context, { request: 1, bytesPerSecond: 1000 });
    const file = join(stores.scratch, 'some');
    await writeFile(file, 'x'.repeat(1500));
    const artifact = { name: 'a', id: 1, digest: 'sha256:0', bytes: 1500, run: null };
    try {
      const asking =
        what === 'upload'
          ? store.upload('some', stores.scratch, [file])
          : what === 'download'
            ? store.download(artifact, join(stores.scratch, 'never'))
            : store.list(null);
      // The limit grows with what is transferred.
      const seconds = what === 'list' ? 1 : 3;
      await expect(asking).rejects.toThrow(`the service did not answer within ${seconds} s`);
    } finally {
      process.env.ACTIONS_RESULTS_URL = ACTIONS_RESULTS_URL;
      silent.closeAllConnections();
      silent.close();
    }
  },
  60_000,
);
