import { mkdir, mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { exec } from '../../src/exec.ts';
import { checkOut, mergeBase } from '../../src/plan/checkout.ts';
import { repositoryOf } from '../../src/plan/repository.ts';

// Real Git: a repository like GitHub's, with a pull request, and clones of it.

const environment = {
  ...process.env,
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' },
  ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' },
};
const query: Context['query'] = (command, args, options) => exec(command, args, { env: environment, ...options });
const context = { exec, query, environment, signal: new AbortController().signal };

let scratch: string;
let upstream: string;
/** The tip of main, the head of the pull request, and their merge. */
let base: string;
let head: string;

const git = async (folder: string, ...args: string[]): Promise<string> =>
  (await query('git', ['-C', folder, ...args])).stdout.trim();

async function commit(text: string): Promise<string> {
  await writeFile(join(upstream, 'flake.nix'), text);
  await git(upstream, 'add', '.');
  await git(upstream, 'commit', '--quiet', '--message', text);
  return git(upstream, 'rev-parse', 'HEAD');
}

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'checkout-'));
  upstream = join(scratch, 'upstream');
  await mkdir(upstream);
  await git(upstream, 'init', '--quiet', '--initial-branch=main');
  await commit('before');
  await git(upstream, 'checkout', '--quiet', '-b', 'topic');
  head = await commit('changed');
  await git(upstream, 'checkout', '--quiet', 'main');
  await writeFile(join(upstream, 'README'), 'text');
  base = await commit('before');
  await git(upstream, 'checkout', '--quiet', '--detach');
  await git(upstream, 'merge', '--quiet', '--no-ff', '--message', 'merge', 'topic');
  await git(upstream, 'update-ref', 'refs/pull/1/merge', 'HEAD');
  await git(upstream, 'checkout', '--quiet', 'main');
});

/** A clone as actions/checkout makes it: one commit of `refs/pull/1/merge`, and its parents if `depth` is 2. */
async function clone(depth: number): Promise<string> {
  const fleet = join(scratch, 'fleet');
  await mkdir(fleet);
  await git(fleet, 'init', '--quiet');
  await git(fleet, 'remote', 'add', 'origin', `file://${upstream}`);
  await git(
    fleet,
    'fetch',
    '--quiet',
    '--no-tags',
    `--depth=${depth}`,
    'origin',
    '+refs/pull/1/merge:refs/remotes/pull/1/merge',
  );
  await git(fleet, 'checkout', '--quiet', '--force', 'refs/remotes/pull/1/merge');
  return fleet;
}

async function checkOutOf(folder: string, name: string, input: string | null = null) {
  const repository = await repositoryOf(folder, context);
  if (repository === null) throw new Error('no repository');
  return checkOut({ name, input }, repository, join(scratch, 'base'), context);
}

test.each([1, 2])('the base of a clone of depth %i, whose work tree and references are left alone', async depth => {
  const fleet = await clone(depth);
  await writeFile(join(fleet, 'flake.nix'), 'edited');
  const references = await git(fleet, 'for-each-ref');
  const found = await mergeBase(fleet, head, context);
  expect(found).toBe(base);
  expect(await checkOutOf(fleet, base)).toEqual({ root: join(scratch, 'base/fleet'), commit: base });
  expect((await readdir(join(scratch, 'base/fleet'))).sort()).toEqual(['.git', 'README', 'flake.nix']);
  expect(await readFile(join(scratch, 'base/fleet/flake.nix'), 'utf8')).toBe('before');
  expect(await git(join(scratch, 'base/fleet'), 'status', '--porcelain')).toBe('');
  expect(await git(fleet, 'for-each-ref')).toBe(references);
  expect(await readFile(join(fleet, 'flake.nix'), 'utf8')).toBe('edited');
});

test('a head that is not what was merged has no base in the commit', async () => {
  const fleet = await clone(2);
  expect(await mergeBase(fleet, base, context)).toBeNull();
  await git(fleet, 'checkout', '--quiet', head);
  expect(await mergeBase(fleet, head, context)).toBeNull();
});

test('a branch, also one that only the remote has; a complete clone stays complete', async () => {
  await git(scratch, 'clone', '--quiet', upstream, 'fleet');
  const fleet = join(scratch, 'fleet');
  await git(fleet, 'checkout', '--quiet', '--detach', head);
  expect((await checkOutOf(fleet, 'topic', 'base')).commit).toBe(head);
  await git(upstream, 'checkout', '--quiet', '-b', 'later');
  const later = await commit('later');
  const repository = await repositoryOf(fleet, context);
  const options = { root: fleet, shallow: false, submodules: [], ...repository };
  expect((await checkOut({ name: 'later', input: 'base' }, options, join(scratch, 'other'), context)).commit).toBe(
    later,
  );
  expect(await git(fleet, 'rev-parse', '--is-shallow-repository')).toBe('false');
});

test('a base that cannot be fetched is one sentence, and says what to write', async () => {
  const fleet = await clone(1);
  await git(fleet, 'remote', 'set-url', 'origin', `file://${scratch}/gone`);
  await expect(checkOutOf(fleet, base)).rejects.toMatchObject({
    message: expect.stringMatching(
      `^This clone does not have the base of the pull request, ${base}, and Git cannot fetch it: '${scratch}/gone' does not appear to be a git repository.$`,
    ),
    cure: 'Set `fetch-depth: 2` for actions/checkout, which then fetches the base too.',
  });
});

test.each(['nothing', '--upload-pack=touch ran', 'a b'])('%s is no revision', async name => {
  const fleet = await clone(2);
  await expect(checkOutOf(fleet, name, 'base')).rejects.toMatchObject({
    message: expect.stringContaining(`This clone does not have '${name}' and Git cannot fetch it:`),
    where: { input: 'base' },
  });
  expect(await readdir(fleet)).not.toContain('ran');
});

test('submodules: from the clone, which has them, and not again from their address', async () => {
  const library = join(scratch, 'library');
  await mkdir(library);
  await git(library, 'init', '--quiet');
  await writeFile(join(library, 'lib.nix'), 'library');
  await git(library, 'add', '.');
  await git(library, 'commit', '--quiet', '--message', 'library');
  await git(upstream, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', `file://${library}`, 'lib');
  const before = await commit('with a library');
  await commit('and a change');
  const fleet = join(scratch, 'fleet');
  await git(scratch, 'clone', '--quiet', upstream, 'fleet');
  await git(fleet, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
  await rename(library, join(scratch, 'gone'));
  const { root } = await checkOutOf(fleet, before);
  expect(await readFile(join(root, 'lib/lib.nix'), 'utf8')).toBe('library');
  expect(await git(root, 'status', '--porcelain')).toBe('');
  expect((await repositoryOf(root, context))?.submodules).toEqual([{ path: 'lib', checkedOut: true }]);
  // One that the clone does not have: its address does not answer.
  await rename(join(scratch, 'gone'), library);
  await writeFile(join(library, 'lib.nix'), 'older');
  await git(library, 'commit', '--quiet', '--all', '--message', 'older');
  await git(upstream, 'update-index', '--cacheinfo', `160000,${await git(library, 'rev-parse', 'HEAD')},lib`);
  await git(upstream, 'commit', '--quiet', '--message', 'another library');
  await git(fleet, 'fetch', '--quiet', '--recurse-submodules=no', 'origin');
  await rename(library, join(scratch, 'gone'));
  const repository = await repositoryOf(fleet, context);
  if (repository === null) throw new Error('no repository');
  await expect(
    checkOut({ name: 'origin/main', input: 'base' }, repository, join(scratch, 'other'), context),
  ).rejects.toThrow(/^The submodules of origin\/main cannot be fetched: /);
});
