import { basename, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { type Adapter, callAdapter, type Names } from '../evaluation/adapter.ts';
import { checkLock, type FlakeReference, flakeReference } from '../evaluation/flake-reference.ts';
import { copyWorkTree, downloadsSubmodules } from '../evaluation/work-tree.ts';
import type { Source } from '../source.ts';

/** An adapter for Nix files that are not a flake. @param file name of the file in nix/ without `.nix`. */
export function fileAdapter(file: string, source: Source, request: Readonly<Record<string, unknown>>): Adapter {
  const { root, inputs } = source;
  return {
    file,
    request: { ...request, root, system: inputs.system, warn: inputs.nixpkgsPin === 'warn' },
    pure: false,
    roots: [root],
    readable: inputs.allowedPaths,
  };
}

/**
 * An adapter for a flake.
 *
 * @param file name of the file in nix/ without `.nix`.
 * @throws UserError if an input of the flake is not locked, unless `nixpkgs-pin` is `warn`.
 */
export async function flakeAdapter(
  file: string,
  source: Source,
  request: Readonly<Record<string, unknown>> = {},
): Promise<Adapter> {
  const { folder, repository, root, inputs, context } = source;
  const reference = downloadsSubmodules(source) ? await copied(source) : flakeReference(folder, repository);
  const strict = inputs.nixpkgsPin === 'error';
  if (!reference.locked) {
    context.log.notice(
      repository === null
        ? 'The source is not in a Git repository: the flake is evaluated from the folder as it is.'
        : !repository.dirty
          ? 'The repository has submodules: the flake is evaluated with what is checked out of them, and not in pure mode.'
          : 'The work tree has uncommitted changes: the flake is evaluated with them, and not in pure mode.',
    );
    if (strict) {
      const failure = await checkLock(source);
      if (failure !== null) throw source.errorFor(failure, 'flake.nix');
    }
  }
  return {
    file,
    request: { ...request, reference: reference.url, system: inputs.system },
    pure: reference.locked && strict,
    roots: [root],
    readable: inputs.allowedPaths,
  };
}

/**
 * The reference of a copy of the work tree, for a Nix that would download its submodules again.
 *
 * @throws UserError if the flake is below the repository's root, where such a Nix cannot find it in a copy.
 */
async function copied(source: Source): Promise<FlakeReference> {
  if (resolve(source.folder) !== resolve(source.root)) {
    const { version } = source.nix.installation;
    throw new UserError(
      `Nix ${version} cannot read a flake that is below the root of a repository with submodules: it would download them again.`,
      { where: { input: 'source' }, cure: 'Use Nix 2.20 or newer: set `nix-version`, or install it before this step.' },
    );
  }
  const copy = await copyWorkTree(source);
  if ('message' in copy) throw source.errorFor(copy, 'flake.nix');
  return { url: copy.reference, locked: source.repository?.dirty === false };
}

/** @throws UserError if a format that exists only in flakes is to start from another file. */
export function checkIsFlake(format: string, main: string): void {
  if (isFlake(main)) return;
  throw new UserError(`${format} starts from flake.nix, not from ${main}.`, { where: { input: 'source' } });
}

export function isFlake(main: string): boolean {
  return basename(main) === 'flake.nix';
}

/** The name of a host whose configuration does not define one. */
export function fallbackName(folder: string): string {
  return basename(resolve(folder)) || 'nixos';
}

/** @throws what `source.errorFor` makes of a failure. @param main relative to the source's folder. */
export async function namesOf(
  adapter: Adapter,
  source: Source,
  main: string,
): Promise<Names & { files: ReadonlySet<string> }> {
  const { value, failure, files } = await callAdapter(adapter, { attribute: 'names' }, source);
  if (failure !== null) throw source.errorFor(failure, main);
  return { ...(value as Names), files };
}
