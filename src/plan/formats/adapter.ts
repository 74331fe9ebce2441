import type { Context } from '../../context.ts';
import type { Nix } from '../../nix/index.ts';
import type { PlanConfig } from '../config.ts';
import { type Adapter, ask, type NixFailure } from '../evaluation/adapter.ts';
import { checkLock, flakeReference } from '../evaluation/flake-reference.ts';
import type { Repository } from '../repository.ts';

/** What is looked into while the format is found. */
export interface Found {
  folder: string;
  /** What was named of it, relative to it; none: the usual names. */
  files: readonly string[];
  repository: Repository | null;
  config: PlanConfig;
  nix: Nix;
  context: Context;
  onFailure: (failure: NixFailure, main: string) => Error;
}

/** What is no flake, asked by a file of nix/. */
export function plain(file: string, { folder, repository, config }: Found, request: Record<string, unknown>): Adapter {
  return {
    file,
    request: {
      ...request,
      root: repository?.root ?? folder,
      system: config.system,
      warn: config.nixpkgsPin === 'warn',
    },
    pure: false,
    roots: [repository?.root ?? folder],
  };
}

/** A flake, asked by a file of nix/. */
export async function flakeAdapter(file: string, found: Found, more: Record<string, unknown> = {}): Promise<Adapter> {
  const { folder, repository, config, nix, context } = found;
  const reference = flakeReference(folder, repository);
  const strict = config.nixpkgsPin === 'error';
  if (!reference.locked) {
    context.log.notice(
      repository === null
        ? 'The source is not in a Git repository: its flake is evaluated as the folder is.'
        : 'The work tree has uncommitted changes: the flake is evaluated with them, and not purely.',
    );
    if (strict) await checkLock(folder, repository, nix, context, found.onFailure);
  }
  return {
    file,
    request: { ...more, reference: reference.url, system: config.system },
    pure: reference.locked && strict,
    roots: [repository?.root ?? folder],
  };
}

/** What every file of nix/ answers first. */
interface Names {
  names: string[];
  root: string;
  notes: unknown;
}

/** @throws what `found.onFailure` makes of a failure. */
export async function namesOf(adapter: Adapter, found: Found, main: string): Promise<Names> {
  const { result, failure } = await ask(adapter, 'names', { hosts: [] }, found.nix, found.context);
  if (failure !== null) throw found.onFailure(failure, main);
  return result as Names;
}
