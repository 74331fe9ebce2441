import { relative, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { CommandError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import type { NixFailure } from './adapter.ts';
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
  const locked = !repository.dirty && repository.commit !== null;
  const query = [
    ...(folder === '' ? [] : [`dir=${encode(folder)}`]),
    ...(locked ? [`rev=${repository.commit}`] : []),
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
 * Before a flake is evaluated as its folder is: says so, and has Nix check its lock, since such an evaluation would lock a
 * missing input by itself.
 */
export async function prepareFlake(
  reference: FlakeReference,
  repository: Repository | null,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
): Promise<void> {
  context.log.notice(
    repository === null
      ? 'The source is not in a Git repository: its flake is evaluated as the folder is.'
      : 'The work tree has uncommitted changes: the flake is evaluated with them, and not purely.',
  );
  try {
    const args = ['flake', 'metadata', '--json', '--no-update-lock-file', reference.url];
    await nix.run('nix', args, { signal: context.signal });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const message = error.stderr.replace(/^[\s\S]*?error: /, '').trim();
    const failure = {
      message,
      printed: error.stderr,
      places: [],
      roots: repository === null ? [] : [repository.root],
      files: new Set<string>(),
    };
    throw onFailure(failure, 'flake.nix');
  }
}

/** What an unlocked input is called in Nix's errors; null for another error. */
export function unlockedInput(message: string): string | null {
  const match =
    /(?:cannot update unlocked flake input|unlocked flake input) '([^']+)'/.exec(message) ??
    /(?:requires lock file changes|lock file changes but they're not allowed)()/.exec(message);
  return match === null ? null : (match[1] ?? '');
}
