import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import type { NixFailure } from '../evaluation/adapter.ts';
import { inRepository, placeOf } from '../evaluation/diagnose.ts';
import { unlockedInput } from '../evaluation/flake-reference.ts';
import type { Host, Pin } from '../fleet.ts';
import type { Repository } from '../repository.ts';
import { lineOf, searchPaths, unpinnedFetches } from './scan.ts';

/** Something that isn't fixed, and where. */
export interface PinProblem {
  what: string;
  file: string | null;
  line: number | null;
  cure: string;
}

/** What the check knows of the evaluation. */
export interface Evidence {
  /** The repository's root, or the source's folder outside Git. */
  base: string;
  /** The source's folder. */
  source: string;
  repository: Repository | null;
  /** Folders that hold what `base` holds, as Nix names them. */
  roots: readonly string[];
  /** Nix files that were evaluated, as Nix names them. */
  files: ReadonlySet<string>;
  /** The input `nixpkgs`. */
  given: string | null;
}

const tarballCure =
  'Write the address of a commit and its hash: `fetchTarball { url = "https://github.com/NixOS/nixpkgs/archive/<commit>.tar.gz"; sha256 = "…"; }` (`nix-prefetch-url --unpack <address>` prints it), or pin it with npins.';
const pathCure =
  'Pin nixpkgs in the repository (npins, niv, a flake, or `fetchTarball` with `sha256`) and import that instead, or name a pin in the input `nixpkgs`.';

const cures: Record<string, string> = {
  fetchTarball: tarballCure,
  fetchurl: 'Add `sha256`.',
  fetchGit: 'Add `rev`, the commit in 40 hex digits.',
  fetchMercurial: 'Add `rev`.',
  fetchTree: 'Add `rev` and `narHash`.',
  getFlake: 'Name the commit and the hash: `?rev=…&narHash=…`, or make it an input of a locked flake.',
};

/** Files of the repository that were evaluated, relative to its root. */
export function ownFiles({ base, roots, files }: Evidence): string[] {
  const own = new Set<string>();
  for (const file of files) {
    const inside = inRepository({ file, line: 1, column: 1 }, roots);
    if (inside !== null && existsSync(join(base, inside.file))) own.add(inside.file);
  }
  return [...own].sort();
}

/**
 * What isn't fixed: what failures tell of it, and what stands in the repository's own evaluated files. Nix does not always
 * say where; what has no place is then in a file, or else in the one that all starts from.
 *
 * @param main relative to the repository's root.
 */
export function problemsIn(
  evidence: Evidence,
  failures: readonly NixFailure[],
  main: string,
  withSearchPaths: boolean,
): PinProblem[] {
  const inFiles = unpinnedIn(evidence, withSearchPaths);
  const told = failures
    .flatMap(failure => problemBehind(failure) ?? [])
    .filter(({ what, file }) => !inFiles.some(other => other.what === what && (file ?? other.file) === other.file))
    .map(problem => ({ ...problem, file: problem.file ?? main }));
  return [...told, ...inFiles];
}

/** Fetches in the repository's own evaluated files that name no hash. */
function unpinnedIn(evidence: Evidence, withSearchPaths: boolean): PinProblem[] {
  return ownFiles(evidence).flatMap(file => {
    const text = readFileSync(join(evidence.base, file), 'utf8');
    const paths = withSearchPaths ? searchPaths(text) : [];
    return [
      ...unpinnedFetches(text).map(({ at, what }) => ({
        what: `${what} without ${what === 'fetchTarball' || what === 'fetchurl' ? 'a hash' : 'a revision'}`,
        file,
        line: lineOf(text, at),
        cure: cures[what] ?? tarballCure,
      })),
      ...paths.map(({ at, what }) => ({ what, file, line: lineOf(text, at), cure: pathCure })),
    ];
  });
}

/** The problem behind an evaluation that failed since something was not pinned; null for another failure. */
function problemBehind(failure: NixFailure): PinProblem | null {
  const place = placeOf(failure);
  const at = { file: place?.file ?? null, line: place?.line ?? null };
  const path =
    /file '([^']+)' was not found in the Nix search path/.exec(failure.message) ??
    /cannot look up '<([^']+)>' in pure evaluation mode/.exec(failure.message);
  if (path !== null) return { what: `<${path[1]}>`, ...at, cure: pathCure };
  if (/<nixpkgs> of the machine would be taken/.test(failure.message)) {
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

/** One error for all that is not fixed; the first has its place. */
export function pinError(problems: readonly PinProblem[]): UserError {
  const [first, ...more] = problems as [PinProblem, ...PinProblem[]];
  const also = more.slice(0, 5).map(({ what, file, line }) => `${what} (${file ?? '?'}:${line ?? '?'})`);
  return new UserError(
    `Not pinned: ${first.what}.${also.length === 0 ? '' : ` Also: ${[...new Set(also)].join(', ')}.`}`,
    {
      where:
        first.file === null
          ? { input: 'source' }
          : { file: first.file, ...(first.line === null ? {} : { line: first.line }) },
      cure: `${first.cure} (\`nixpkgs-pin: warn\` lets it pass.)`,
    },
  );
}

/**
 * How the nixpkgs at a path is fixed: by the repository's own commit, or by a hash that the repository holds.
 *
 * The hash is looked for, not the way it is written, so that npins, niv, flakes, `fetchTarball` and whatever else fetches by
 * hash are all found.
 */
export async function pinOf(path: string, evidence: Evidence, nix: Nix): Promise<Pin | null> {
  const inside = inRepository({ file: join(path, 'x'), line: 1, column: 1 }, evidence.roots);
  if (inside !== null) {
    const { repository } = evidence;
    return {
      revision: repository === null || repository.dirty ? null : repository.commit,
      narHash: null,
      by: dirname(inside.file) === '.' ? 'the repository' : `${dirname(inside.file)} in the repository`,
    };
  }
  const stored = /^\/nix\/store\/[^/]+/.exec(path)?.[0];
  if (stored === undefined) return null;
  const narHash = await narHashOf(stored, nix);
  if (narHash === null) return null;
  const base32 = (await nix.run('nix-hash', ['--type', 'sha256', '--to-base32', narHash])).stdout.trim();
  const bytes = Buffer.from(narHash.replace('sha256-', ''), 'base64');
  const { given } = evidence;
  if (given?.includes('narHash=') && decodeURIComponent(given).includes(narHash)) {
    return { revision: /\b[0-9a-f]{40}\b/.exec(given)?.[0] ?? null, narHash, by: 'the input nixpkgs' };
  }
  const spelled = [narHash.replace('sha256-', ''), base32, bytes.toString('hex')];
  let byRevision: Pin | null = null;
  for (const file of placesOfPins(evidence)) {
    const text = readFileSync(join(evidence.base, file), 'utf8');
    const at = spelled.map(hash => text.indexOf(hash)).find(index => index >= 0);
    if (at !== undefined) return { revision: revisionNear(text, at), narHash, by: by(file, text, at) };
    const git = /\b(?:fetchGit|fetchTree|getFlake)\b[\s\S]{0,400}?\b([0-9a-f]{40})\b/.exec(text);
    if (byRevision === null && file.endsWith('.nix') && git?.[1] !== undefined) {
      byRevision = { revision: git[1], narHash, by: by(file, text, git.index) };
    }
  }
  return byRevision;
}

function by(file: string, text: string, at: number): string {
  return file.endsWith('.nix') ? `${file}:${lineOf(text, at)}` : file;
}

async function narHashOf(path: string, nix: Nix): Promise<string | null> {
  const [info] = await nix.closure([path]).catch(() => []);
  return info?.narHash ?? null;
}

/** Evaluated files, and the lock files beside them. */
function placesOfPins(evidence: Evidence): string[] {
  const own = ownFiles(evidence);
  const above = foldersUpTo(evidence.base, resolve(evidence.source)).map(folder => relative(evidence.base, folder));
  const folders = new Set([...above, ...own.map(file => dirname(file))]);
  const locks = [...folders].flatMap(folder => {
    const path = join(evidence.base, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter(name => /\.(?:lock|json|toml)$/.test(basename(name)))
      .map(name => join(folder, name));
  });
  return [...new Set([...locks, ...own])];
}

/** The revision that stands nearest to a hash: in the same lines of a lock file, or in the address beside it. */
function revisionNear(text: string, at: number): string | null {
  let best: { revision: string; distance: number } | null = null;
  for (const match of text.matchAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g)) {
    const distance = Math.abs(match.index - at);
    if (distance < 1_000 && (best === null || distance < best.distance)) best = { revision: match[0], distance };
  }
  return best?.revision ?? null;
}

/** A nixpkgs given by the input, or found beside the configuration. */
export interface GivenNixpkgs {
  kind: 'sources' | 'lock' | 'file' | 'reference';
  /** Absolute path, or the reference. */
  path: string;
}

/**
 * Reads the input `nixpkgs`: a path in the source (npins' or niv's file, flake.lock, a file that answers with a path, a
 * folder), or a locked flake reference.
 */
export function givenNixpkgs(text: string, source: string): GivenNixpkgs | string {
  const path = resolve(source, text);
  if (existsSync(path)) {
    if (/\.lock$/.test(path)) return { kind: 'lock', path };
    if (existsSync(join(path, 'nixos'))) return path;
    if (existsSync(join(path, 'default.nix'))) return { kind: 'sources', path: join(path, 'default.nix') };
    return { kind: /sources\.nix$/.test(path) ? 'sources' : 'file', path };
  }
  if (/^[a-z+]+:/.test(text)) {
    if (/[?&]narHash=sha256-/.test(text)) return { kind: 'reference', path: text };
    throw new UserError(`The input nixpkgs, ${JSON.stringify(text)}, names no hash.`, {
      where: { input: 'nixpkgs' },
      cure: 'Write the commit and the hash: `github:NixOS/nixpkgs/<commit>?narHash=sha256-…` (`nix flake prefetch --json` prints it).',
    });
  }
  throw new UserError(`The input nixpkgs names ${JSON.stringify(text)}, which is not there.`, {
    where: { input: 'nixpkgs' },
    cure: 'Name a file or folder of the source (npins, nix/sources.nix, flake.lock, nixpkgs.nix), or a locked reference as `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
  });
}

/** Pins that lie beside a configuration, as their tools name them, or in the nearest folder above it that has any. */
export function pinsAround(source: string, root: string): string[] {
  for (const folder of foldersUpTo(root, source)) {
    const names = ['npins', 'nix/sources.nix', 'flake.lock', 'nixpkgs.nix', 'nixpkgs'];
    const found = names.filter(name => existsSync(join(folder, name === 'npins' ? 'npins/default.nix' : name)));
    if (found.length > 0) return found.map(name => relative(source, join(folder, name)));
  }
  return [];
}

/** From `folder` to `root`, which holds it, both included. */
function foldersUpTo(root: string, folder: string): string[] {
  return folder === root || folder === dirname(folder) ? [folder] : [folder, ...foldersUpTo(root, dirname(folder))];
}

/** Says what nixpkgs the hosts are built from, and how it is fixed. */
export function tellPins(hosts: readonly Pick<Host, 'name' | 'nixpkgs'>[], context: Context): void {
  const built = new Map<string, string[]>();
  for (const { name, nixpkgs } of hosts) {
    if (nixpkgs === null) continue;
    const fixed = [nixpkgs.revision, nixpkgs.narHash].filter(each => each !== null).join(', ') || 'as it lies there';
    const what = `nixpkgs ${fixed}, by ${nixpkgs.by}`;
    built.set(what, [...(built.get(what) ?? []), name]);
  }
  for (const [what, names] of built) context.log.info(`${what}: ${names.join(', ')}`);
}

/** Warns of each problem where it stands. */
export function warnOf(problems: readonly PinProblem[], context: Context): void {
  for (const { what, file, line, cure } of problems) {
    context.log.warning(`Not pinned: ${what}. ${cure}`, {
      ...(file === null ? {} : { file }),
      ...(line === null ? {} : { line }),
    });
  }
}
