import { relative, resolve } from 'node:path';
import type { Repository } from '../repository.ts';
import type { Source } from '../source.ts';
import { callAdapter, type NixFailure } from './adapter.ts';
import { copyWorkTree, encode, hasSubmodules } from './work-tree.ts';

/** How Nix refers to a flake. */
export interface FlakeReference {
  /** A flake reference; locked to a commit if the work tree is clean. */
  url: string;
  locked: boolean;
}

/** The reference of the flake in `source`. */
export function flakeReference(source: string, repository: Repository | null): FlakeReference {
  if (repository === null) return { url: `path:${encode(source)}`, locked: false };
  const folder = relative(repository.root, resolve(source));
  // By its commit, Nix would download submodules again, and the work tree has what is checked out of them.
  const submodules = hasSubmodules(repository);
  const locked = !repository.dirty && repository.commit !== null && !submodules;
  const query = [
    ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
    // Without a ref, Nix 2.8 looks for the branch master if the path has to be encoded.
    ...(submodules ? ['submodules=1'] : []),
    ...(locked ? [`rev=${repository.commit}`, 'ref=HEAD'] : []),
    // Nix refuses a clone without history unless this is set; the flake has no revCount then.
    ...(locked && repository.shallow ? ['shallow=1'] : []),
  ];
  return { url: `git+file://${encode(repository.root)}${query.length === 0 ? '' : `?${query.join('&')}`}`, locked };
}

/**
 * Has Nix check the lock of a flake that is not evaluated in pure mode. An impure evaluation would lock a missing input by
 * itself, from the network; a pure evaluation of the same files refuses to.
 *
 * @returns the failure if an input is not locked, or if the work tree cannot be copied to the store.
 */
export async function checkLock(source: Source): Promise<NixFailure | null> {
  const copy = await copyWorkTree(source);
  if ('message' in copy) return copy;
  const request = { reference: copy.reference };
  const pureAdapter = { file: 'outputs', request, pure: true, roots: [source.root, copy.path] };
  const { failure } = await callAdapter(pureAdapter, { attribute: 'names' }, source);
  return failure !== null && unlockedInput(failure.message) !== null ? failure : null;
}

/** The unlocked input that an error of Nix names, empty if it names none; null for another error. */
export function unlockedInput(message: string): string | null {
  const match =
    /cannot update (?:unlocked )?flake input '([^']+)' in pure mode/.exec(message) ??
    /requires lock file changes()/.exec(message);
  return match === null ? null : (match[1] ?? '');
}
