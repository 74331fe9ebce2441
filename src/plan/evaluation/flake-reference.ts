import { relative, resolve } from 'node:path';
import type { Context } from '../../context.ts';
import type { Nix } from '../../nix/index.ts';
import type { Repository } from '../repository.ts';
import { ask, type NixFailure } from './adapter.ts';

/** A flake as Nix is asked for it. */
export interface FlakeReference {
  /** A flake reference: locked to a commit where the work tree is clean. */
  url: string;
  locked: boolean;
}

/** The reference of the flake in `source`. */
export function flakeReference(source: string, repository: Repository | null): FlakeReference {
  if (repository === null) return { url: `path:${encode(source)}`, locked: false };
  const folder = relative(repository.root, resolve(source));
  const locked = !repository.dirty && repository.commit !== null;
  const query = [
    ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
    // Without a ref Nix 2.8 asks a repository whose path must be encoded for its branch master.
    ...(locked ? [`rev=${repository.commit}`, 'ref=HEAD'] : []),
    // Nix refuses a clone without history unless it is told; the flake has no revCount then.
    ...(locked && repository.shallow ? ['shallow=1'] : []),
  ];
  return { url: `git+file://${encode(repository.root)}${query.length === 0 ? '' : `?${query.join('&')}`}`, locked };
}

/** Percent-encodes all but what every part of a URL may hold. */
function encode(path: string): string {
  return path.replace(/[^\w/.~-]/gu, char => encodeURIComponent(char).replace(/[!'()*]/g, hex));
}

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/**
 * Has Nix check the lock of a flake that is then evaluated as its folder is. Such an evaluation would lock a missing input by
 * itself, from the network; a pure one of the same files refuses to.
 */
export async function checkLock(
  source: string,
  repository: Repository | null,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
): Promise<void> {
  const roots = [repository?.root ?? source];
  const asked = { url: repository === null ? null : `file://${encode(repository.root)}`, folder: source };
  const tree = await ask({ file: 'tree', request: asked, pure: false, roots }, 'names', {}, nix, context);
  if (tree.failure !== null) throw onFailure(tree.failure, 'flake.nix');
  const { root } = tree.result as { root: string };
  const [info] = await nix.closure([root]);
  const folder = relative(roots[0] ?? source, resolve(source));
  const query = [
    `narHash=${encodeURIComponent(info?.narHash ?? '')}`,
    ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
  ];
  const request = { reference: `path:${root}?${query.join('&')}` };
  const locked = await ask(
    { file: 'outputs', request, pure: true, roots: [...roots, root] },
    'names',
    {},
    nix,
    context,
  );
  if (locked.failure !== null && unlockedInput(locked.failure.message) !== null)
    throw onFailure(locked.failure, 'flake.nix');
}

/** What an unlocked input is called in Nix's errors; null for another error. */
export function unlockedInput(message: string): string | null {
  const match =
    /cannot update (?:unlocked )?flake input '([^']+)' in pure mode/.exec(message) ??
    /requires lock file changes()/.exec(message);
  return match === null ? null : (match[1] ?? '');
}
