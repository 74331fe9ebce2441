import { cp, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { compareVersions } from '../../nix/version.ts';
import { gitIn, type Repository } from '../repository.ts';
import type { Source } from '../source.ts';
import { callAdapter, type NixFailure } from './adapter.ts';

/** A copy of the work tree in the store, with its uncommitted changes, as Nix makes it of a flake. */
export interface WorkTreeCopy {
  /** Its store path. */
  path: string;
  /** A reference of the flake in it, which is locked by its hash. */
  reference: string;
}

/** Whether any submodule is checked out. */
export function hasSubmodules(repository: Repository | null): boolean {
  return repository?.submodules.some(({ checkedOut }) => checkedOut) ?? false;
}

/**
 * Whether Nix would download the submodules of a work tree again instead of reading what is checked out: before 2.20, if
 * there are no uncommitted changes (src/libfetchers/git.cc of 2.8).
 */
export function downloadsSubmodules({ repository, nix }: Pick<Source, 'repository' | 'nix'>): boolean {
  return hasSubmodules(repository) && compareVersions(nix.installation.version, '2.20') < 0;
}

/**
 * Copies the work tree, or the folder outside Git, to the store: the tracked files as they are now, with those of submodules.
 *
 * @returns the copy, or the failure if Nix cannot make it.
 */
export async function copyWorkTree(source: Source): Promise<WorkTreeCopy | NixFailure> {
  const { folder, repository, root } = source;
  const request =
    repository === null
      ? { url: null, folder }
      : downloadsSubmodules(source)
        ? { url: null, folder: await copyTracked(source) }
        : { url: `file://${encode(root)}`, submodules: hasSubmodules(repository) };
  const adapter = { file: 'tree', request, pure: false, readsOnly: true, roots: [root] };
  const { value, failure } = await callAdapter(adapter, { attribute: 'names' }, source);
  if (failure !== null) return failure;
  const path = (value as { root: string }).root;
  const [info] = await source.nix.closure([path]);
  const inside = relative(root, resolve(folder));
  const query = [
    `narHash=${encodeURIComponent(info?.narHash ?? '')}`,
    ...(inside === '' ? [] : [`dir=${encode(inside)}`]),
  ];
  return { path, reference: `path:${path}?${query.join('&')}` };
}

/** The tracked files, in a folder of their own. */
async function copyTracked({ root, context }: Source): Promise<string> {
  const to = await mkdtemp(join(context.scratch, 'work-tree-'));
  const listed = (await gitIn(root, context.query)('ls-files', '-z', '--recurse-submodules')) ?? '';
  for (const file of listed.split('\0').filter(Boolean)) {
    // A deleted file has none; a submodule that is not checked out is an empty folder.
    const status = await lstat(join(root, file)).catch(() => null);
    if (status?.isDirectory() === true) await mkdir(join(to, file), { recursive: true });
    else if (status !== null) {
      await mkdir(dirname(join(to, file)), { recursive: true });
      await cp(join(root, file), join(to, file), { verbatimSymlinks: true });
    }
  }
  return to;
}

/** Percent-encodes every character that is not allowed in all parts of a URL. */
export function encode(path: string): string {
  return path.replace(/[^\w/.~-]/gu, char => encodeURIComponent(char).replace(/[!'()*]/g, hex));
}

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
