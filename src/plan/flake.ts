import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import type { Adapter } from './adapter.ts';
import type { Repository } from './git.ts';

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
  const query = [
    ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
    // Nix refuses a clone without history unless it is told; the flake then has no revCount, as without history it has none.
    ...(repository.shallow ? ['shallow=1'] : []),
  ];
  const locked = !repository.dirty && repository.commit !== null;
  if (locked) query.push(`rev=${repository.commit}`);
  const url = `git+file://${encode(repository.root)}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  return { url, locked };
}

/** Percent-encodes all but what every part of a URL may hold. */
function encode(path: string): string {
  return path.replace(/[^\w/.~-]/gu, char => encodeURIComponent(char).replace(/[!'()*]/g, hex));
}

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/**
 * The adapter of a flake. A clean Git work tree is evaluated pure, from its commit; otherwise the lock is checked first and
 * the work tree evaluated as it is.
 */
export async function flakeAdapter(
  file: string,
  source: string,
  repository: Repository | null,
  nix: Nix,
  context: Context,
): Promise<Adapter> {
  if (!existsSync(resolve(source, 'flake.nix'))) {
    throw new UserError(`There is no flake.nix in ${source}.`, {
      where: { input: 'source' },
      cure: 'Let `source` name the folder that holds flake.nix, or say another `format`.',
    });
  }
  const reference = flakeReference(source, repository);
  if (!reference.locked) {
    context.log.notice(
      repository === null
        ? `${source} is not in a Git repository: its flake is evaluated as the folder is.`
        : 'The work tree has uncommitted changes: the flake is evaluated with them, and not purely.',
    );
    await nix.run('nix', ['flake', 'metadata', '--json', '--no-update-lock-file', reference.url], {
      signal: context.signal,
    });
  }
  return {
    file,
    request: { reference: reference.url },
    pure: reference.locked,
    roots: [repository?.root ?? source],
  };
}
