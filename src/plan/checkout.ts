import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import { type Git, gitIn, type Repository } from './repository.ts';

/** Milliseconds for Git to fetch one commit, or the submodules of one. */
const fetchLimit = 600_000;

/** The reference that a commit has in the user's repository while it is fetched. */
const reference = 'refs/nix-ferry/base';

type Surroundings = Pick<Context, 'exec' | 'query' | 'environment' | 'signal'>;

/** A revision that is not what is checked out. */
export interface Revision {
  /** A commit, branch or tag. */
  name: string;
  /** The input that sets it; null if the event of the run does. */
  input: string | null;
}

/**
 * Checks out another revision of a repository into an empty directory. The user's work tree is not touched; a commit that its
 * repository lacks, as a clone without history does, is fetched from the remote `origin`.
 *
 * @param directory is made. The checkout is inside, in a folder of the repository's own name, which may be part of store paths.
 * @returns the checkout's folder and its commit.
 * @throws UserError if there is no such revision, or if it cannot be fetched.
 */
export async function checkOut(
  revision: Revision,
  repository: Pick<Repository, 'root' | 'shallow' | 'submodules'>,
  directory: string,
  surroundings: Surroundings,
): Promise<{ root: string; commit: string }> {
  const own = gitIn(repository.root, surroundings.query);
  const commit = (await find(revision.name, own)) ?? (await fetchFromOrigin(revision, repository, own, surroundings));
  const root = join(directory, basename(repository.root));
  await copyCommit(repository.root, commit, root, surroundings);
  await own('update-ref', '-d', reference);
  const origin = (await own('remote', 'get-url', 'origin'))?.trim() ?? null;
  if (origin !== null) await running(root, surroundings)('remote', 'add', 'origin', origin);
  const submodules = repository.submodules.filter(({ checkedOut }) => checkedOut).map(({ path }) => path);
  if (submodules.length > 0) {
    await checkOutSubmodules(submodules, repository.root, root, surroundings).catch(error => {
      throw new UserError(`The submodules of ${revision.name} cannot be fetched: ${reason(error)}.`, { cause: error });
    });
  }
  return { root, commit };
}

/** Makes a repository that has only this commit of another one, and checks it out. */
async function copyCommit(from: string, commit: string, to: string, surroundings: Surroundings): Promise<void> {
  await mkdir(to, { recursive: true });
  const run = running(to, surroundings);
  await run('init', '--quiet');
  // By its hash, from a repository without history too: protocol 2 serves any commit that is there.
  await run('-c', 'protocol.version=2', 'fetch', '--quiet', '--no-tags', '--depth=1', from, commit);
  await run('-c', 'advice.detachedHead=false', 'checkout', '--quiet', '--detach', commit);
}

/** Submodules whose commit the user's clone has are taken from there; the others are fetched from their own addresses. */
async function checkOutSubmodules(
  paths: readonly string[],
  from: string,
  root: string,
  surroundings: Surroundings,
): Promise<void> {
  const run = running(root, surroundings);
  await run('submodule', '--quiet', 'init');
  for (const path of paths) {
    // Null for a submodule inside another one, and for one that this revision does not have.
    const commit = (await gitIn(root, surroundings.query)('rev-parse', '--verify', '--quiet', `HEAD:${path}`))?.trim();
    const there = gitIn(join(from, path), surroundings.query);
    if (!commit || (await there('cat-file', '-e', `${commit}^{commit}`)) === null) continue;
    await copyCommit(join(from, path), commit, join(root, path), surroundings);
  }
  await run('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1');
}

/** The commit of a revision that the repository has; null if it has none. */
async function find(name: string, git: Git): Promise<string | null> {
  for (const each of [name, `origin/${name}`]) {
    // For the hash of a commit that is missing, Git would repeat it; with `^{commit}` it looks.
    const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${each}^{commit}`);
    if (found !== null && found.trim() !== '') return found.trim();
  }
  return null;
}

async function fetchFromOrigin(
  { name, input }: Revision,
  { root, shallow }: Pick<Repository, 'root' | 'shallow'>,
  own: Git,
  surroundings: Surroundings,
): Promise<string> {
  // A complete clone stays complete.
  const depth = shallow ? ['--depth=1'] : [];
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--recurse-submodules=no', ...depth];
  try {
    await running(root, surroundings)('fetch', ...options, '--', 'origin', `+${name}:${reference}`);
  } catch (error) {
    const what = input === null ? `the base of the pull request, ${name},` : `'${name}'`;
    throw new UserError(`This clone does not have ${what} and Git cannot fetch it: ${reason(error)}.`, {
      ...(input === null ? {} : { where: { input } }),
      cure:
        input === null
          ? 'Set `fetch-depth: 2` for actions/checkout, which then fetches the base too.'
          : 'Write a commit, branch or tag of this repository.',
      cause: error,
    });
  }
  return (await own('rev-parse', '--verify', `${reference}^{commit}`))?.trim() ?? name;
}

/** Runs Git, which asks nobody for a password. @throws CommandError */
function running(folder: string, { exec, environment, signal }: Surroundings): (...args: string[]) => Promise<unknown> {
  const env = { ...environment, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
  return (...args) => exec('git', ['-C', folder, ...args], { env, signal, timeout: fetchLimit });
}

function reason(error: unknown): string {
  if (!(error instanceof CommandError)) return String(error);
  const lines = error.stderr.split('\n').filter(line => line.trim() !== '');
  const fatal = lines.find(line => line.startsWith('fatal: ')) ?? lines[0] ?? error.message;
  return fatal.replace(/^fatal: /, '').replace(/\.$/, '');
}

/**
 * The commit into which a merge commit has merged another one: what `refs/pull/N/merge` of GitHub, which actions/checkout checks
 * out, was made from. Null if `HEAD` is no such merge. It is read from the commit itself, because a clone without history has no
 * parents.
 */
export async function mergeBase(
  root: string,
  merged: string,
  { query }: Pick<Context, 'query'>,
): Promise<string | null> {
  const commit = (await gitIn(root, query)('cat-file', 'commit', 'HEAD')) ?? '';
  const header = commit.slice(0, commit.indexOf('\n\n'));
  const [into, other, ...more] = Array.from(header.matchAll(/^parent ([0-9a-f]+)$/gm), ([, hash]) => hash ?? '');
  return other === merged && more.length === 0 && into !== undefined ? into : null;
}
