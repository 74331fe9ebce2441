import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { NixFailure } from '../evaluation/adapter.ts';
import { sourceFailure } from '../evaluation/diagnose.ts';
import { unlockedInput } from '../evaluation/flake-reference.ts';
import { inRepository, placeOf } from '../evaluation/places.ts';
import type { Source } from '../source.ts';
import { lineOf, searchPaths, unpinnedFetches } from './scan.ts';

/** Something that is not pinned, and where. */
export interface PinProblem {
  what: string;
  /** The input that is wrong, if it is not a file of the repository. */
  input?: 'nixpkgs';
  /** Relative to the repository's root. */
  file: string | null;
  line: number | null;
  cure: string;
}

/** What an evaluation has read. */
export interface Evidence {
  source: Source;
  /** Folders with the contents of the source's root, as Nix names them. */
  roots: readonly string[];
  /** Nix files that were evaluated, as Nix names them. */
  files: ReadonlySet<string>;
  /** Whether <nixpkgs> is pinned: by the input `nixpkgs`, or next to a source whose format uses such a pin. */
  hasNixpkgs: boolean;
}

const tarballCure =
  'Write the URL of a commit and its hash: `fetchTarball { url = "https://github.com/NixOS/nixpkgs/archive/<commit>.tar.gz"; sha256 = "…"; }` (`nix-prefetch-url --unpack <url>` prints it), or pin it with npins.';
const pathCure =
  'Pin nixpkgs in the repository (npins, niv, a flake, or `fetchTarball` with `sha256`) and import that instead, or set the input `nixpkgs` to a pin.';

/** For a search path: NixOS passes the path of its modules to each module. */
function searchPathCure(path: string): string {
  const [, module] = /^nixpkgs\/nixos\/modules\/(.+)$/.exec(path) ?? [];
  const [name] = path.split('/');
  if (name !== 'nixpkgs')
    return `Pin ${name} in the repository (npins, niv, or \`fetchTarball\` with \`sha256\`) and import that instead.`;
  if (module === undefined) return pathCure;
  return `Write \`"\${modulesPath}/${module}"\` instead, with \`modulesPath\` among the module's arguments. Or set the input \`nixpkgs\` to a pin.`;
}

const cures: Record<string, string> = {
  fetchTarball: tarballCure,
  fetchurl: 'Add `sha256`.',
  fetchGit: 'Add `rev`, the commit in 40 hex digits.',
  fetchMercurial: 'Add `rev`.',
  fetchTree: 'Add `rev` and `narHash`.',
  getFlake: 'Add the commit and the hash, `?rev=…&narHash=…`, or make it an input of a locked flake.',
};

/** Files of the repository that were evaluated, relative to its root. */
export function ownFiles({ source, roots, files }: Evidence): string[] {
  const own = new Set<string>();
  for (const file of files) {
    const inside = inRepository({ file }, roots);
    if (inside !== null && existsSync(join(source.root, inside.file))) own.add(inside.file);
  }
  return [...own].sort();
}

/**
 * What is not pinned: what failures report, and what the evaluated files of the repository contain. Nix does not always report
 * a place; the place of such a problem is the file that contains it or else the file that the evaluation started from.
 *
 * @param main relative to the repository's root.
 */
export function problemsIn(evidence: Evidence, failures: readonly NixFailure[], main: string): PinProblem[] {
  const inFiles = unpinnedIn(evidence);
  const reported = failures
    .flatMap(failure => pinProblemOf(failure) ?? [])
    .filter(({ what, file }) => !inFiles.some(other => other.what === what && (file ?? other.file) === other.file))
    .map(problem => ({ ...problem, file: problem.file ?? main }));
  const problems = [...reported, ...inFiles];
  return problems.filter((one, index) => problems.findIndex(other => isSame(one, other)) === index);
}

/** Several hosts may fail for one reason. */
function isSame(one: PinProblem, other: PinProblem): boolean {
  return one.what === other.what && one.file === other.file && one.line === other.line;
}

/** Fetches without a hash in the evaluated files of the repository and, if they may be used at all, search paths. */
function unpinnedIn(evidence: Evidence): PinProblem[] {
  const { root, inputs } = evidence.source;
  const isPinned = (path: string): boolean => evidence.hasNixpkgs && /^<nixpkgs[/>]/.test(path);
  return ownFiles(evidence).flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8');
    const paths = inputs.nixpkgsPin === 'warn' ? searchPaths(text).filter(({ what }) => !isPinned(what)) : [];
    return [
      ...unpinnedFetches(text).map(({ at, what }) => ({
        what: `${what} without ${what === 'fetchTarball' || what === 'fetchurl' ? 'a hash' : 'a revision'}`,
        file,
        line: lineOf(text, at),
        cure: cures[what] ?? tarballCure,
      })),
      ...paths.map(({ at, what }) => ({
        what,
        file,
        line: lineOf(text, at),
        cure: searchPathCure(what.slice(1, -1)),
      })),
    ];
  });
}

/** The problem if an evaluation failed because something is not pinned; null for another failure. */
function pinProblemOf(failure: NixFailure): PinProblem | null {
  const place = placeOf(failure);
  const at = { file: place?.file ?? null, line: place?.line ?? null };
  const path =
    /file '([^']+)' was not found in the Nix search path/.exec(failure.message) ??
    /cannot look up '<([^']+)>' in pure evaluation mode/.exec(failure.message);
  // `causeOf` explains <nixos-config>, which is not a pin.
  if (path !== null && path[1] !== 'nixos-config')
    return { what: `<${path[1]}>`, ...at, cure: searchPathCure(path[1] ?? '') };
  if (/<nixpkgs> of the machine would be used/.test(failure.message)) {
    return { what: failure.message.replace(/^error: /, ''), ...at, cure: pathCure };
  }
  const fetch = /in pure evaluation mode, '(fetch\w+)' (?:requires|will not fetch)/.exec(failure.message);
  if (fetch?.[1] !== undefined)
    return { what: `${fetch[1]} without a hash`, ...at, cure: cures[fetch[1]] ?? tarballCure };
  if (/'getFlake' on unlocked flake reference|cannot call 'fetchTree'.*unlocked/.test(failure.message)) {
    return { what: 'a flake reference that is not locked', ...at, cure: cures.getFlake ?? '' };
  }
  const input = unlockedInput(failure.message);
  if (input === null) return null;
  return {
    what:
      input === '' ? 'a flake input that flake.lock does not lock' : `the flake input ${input}, which is not locked`,
    file: null,
    line: null,
    cure: 'Run `nix flake lock` and commit flake.lock.',
  };
}

/** One error for all problems, with the place of the first. */
export function pinError(problems: readonly PinProblem[]): UserError {
  const [first, ...more] = problems as [PinProblem, ...PinProblem[]];
  const also = more.slice(0, 5).map(({ what, file, line }) => `${what} (${file ?? '?'}:${line ?? '?'})`);
  return new UserError(
    `Not pinned: ${first.what}.${also.length === 0 ? '' : ` Also: ${[...new Set(also)].join(', ')}.`}`,
    {
      where:
        first.file === null
          ? { input: first.input ?? 'source' }
          : { file: first.file, ...(first.line === null ? {} : { line: first.line }) },
      cure: `${first.cure} (\`nixpkgs-pin: warn\` allows it.)`,
    },
  );
}

/** Logs a warning for each problem, at its place. */
export function warnOfPins(problems: readonly PinProblem[], context: Context): void {
  for (const { what, file, line, cure } of problems) {
    context.log.warning(`Not pinned: ${what}. ${cure}`, {
      ...(file === null ? {} : { file }),
      ...(line === null ? {} : { line }),
    });
  }
}

/** The error for a source that cannot be evaluated as a whole. @param main relative to the repository's root. */
export function sourceError(failure: NixFailure, main: string, source: Source): UserError {
  if (source.inputs.nixpkgsPin === 'error') {
    // What is not pinned is mostly the cause of the failure.
    const problems = problemsIn(
      { source, roots: failure.roots, files: failure.files, hasNixpkgs: false },
      [failure],
      main,
    );
    if (problems.length > 0) return pinError(problems);
  }
  return sourceFailure(failure, { file: main }, source);
}
