import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Log } from '../../context.ts';
import type { Nix } from '../../nix/index.ts';
import type { NixFailure } from '../evaluation/adapter.ts';
import { inRepository } from '../evaluation/places.ts';
import type { Host, Pin } from '../fleet.ts';
import { foldersUpTo } from './folders.ts';
import { type Evidence, ownFiles, type PinProblem, pinError, problemsIn, warnOfPins } from './problems.ts';
import { lineOf } from './scan.ts';

/**
 * How each nixpkgs is pinned. What is not pinned is an error, or a warning if `nixpkgs-pin` is `warn`.
 *
 * @param paths the nixpkgs that hosts are built from.
 * @param failures of hosts.
 * @param main the file that the evaluation started from, relative to the repository's root.
 * @returns path → pin. @throws UserError for everything that is not pinned, with the place of the first.
 */
export async function checkNixpkgsPins(
  paths: Iterable<string>,
  failures: readonly NixFailure[],
  main: string,
  evidence: Evidence,
): Promise<Record<string, Pin>> {
  const { inputs, context } = evidence.source;
  const problems = problemsIn(evidence, failures, main);
  const pins: Record<string, Pin> = {};
  for (const path of new Set(paths)) {
    const pin = await pinOf(path, evidence);
    if (pin !== null) pins[path] = pin;
    else if (problems.length === 0) problems.push(withoutHash(path, evidence));
  }
  if (problems.length > 0 && inputs.nixpkgsPin === 'error') throw pinError(problems);
  warnOfPins(problems, context);
  return pins;
}

function withoutHash(path: string, evidence: Evidence): PinProblem {
  if (evidence.source.inputs.nixpkgs === path) {
    return {
      what: `the input nixpkgs, ${path}, whose hash is nowhere in the repository`,
      input: 'nixpkgs',
      file: null,
      line: null,
      cure: `Write it with its hash: \`path:${path}?narHash=sha256-…\` (\`nix hash path ${path}\` prints it).`,
    };
  }
  return {
    what: `the nixpkgs at ${path}, whose hash is nowhere in the repository`,
    file: ownFiles(evidence)[0] ?? null,
    line: null,
    cure: 'Fetch it by its hash: a flake, npins, niv, or `fetchTarball` with `sha256`.',
  };
}

/**
 * How the nixpkgs at a path is pinned: by the repository's own commit, or by a hash in the repository.
 *
 * It looks for the hash itself, however the pin is written, so that it finds npins, niv, flakes, `fetchTarball` and
 * everything else that fetches by hash.
 */
async function pinOf(path: string, evidence: Evidence): Promise<Pin | null> {
  const { repository, inputs, nix } = evidence.source;
  const inside = inRepository({ file: join(path, 'x') }, evidence.roots);
  if (inside !== null) {
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
  const { nixpkgs } = inputs;
  if (nixpkgs?.includes('narHash=') && decodeURIComponent(nixpkgs).includes(narHash)) {
    return { revision: /\b[0-9a-f]{40}\b/.exec(nixpkgs)?.[0] ?? null, narHash, by: 'the input nixpkgs' };
  }
  const base32 = (await nix.run('nix-hash', ['--type', 'sha256', '--to-base32', narHash])).stdout.trim();
  return pinInFiles(narHash, base32, evidence);
}

/** The place in the repository's files that contains the hash, in any of its three encodings, or a revision to fetch. */
function pinInFiles(narHash: string, base32: string, evidence: Evidence): Pin | null {
  const base64 = narHash.replace('sha256-', '');
  const hashes = [base64, base32, Buffer.from(base64, 'base64').toString('hex')];
  let byRevision: Pin | null = null;
  for (const file of filesWithPins(evidence)) {
    const text = readFileSync(join(evidence.source.root, file), 'utf8');
    const at = hashes.map(hash => text.indexOf(hash)).find(index => index >= 0);
    if (at !== undefined) return { revision: revisionNear(text, at), narHash, by: placeIn(file, text, at) };
    const git = /\b(?:fetchGit|fetchTree|getFlake)\b[\s\S]{0,400}?\b([0-9a-f]{40})\b/.exec(text);
    if (byRevision === null && file.endsWith('.nix') && git?.[1] !== undefined) {
      byRevision = { revision: git[1], narHash, by: placeIn(file, text, git.index) };
    }
  }
  return byRevision;
}

function placeIn(file: string, text: string, at: number): string {
  return file.endsWith('.nix') ? `${file}:${lineOf(text, at)}` : file;
}

async function narHashOf(path: string, nix: Nix): Promise<string | null> {
  const [info] = await nix.closure([path]).catch(() => []);
  return info?.narHash ?? null;
}

/** Evaluated files, and the lock files next to them or above the source. */
function filesWithPins(evidence: Evidence): string[] {
  const { root, folder: source } = evidence.source;
  const own = ownFiles(evidence);
  const above = foldersUpTo(root, resolve(source)).map(folder => relative(root, folder));
  const folders = new Set([...above, ...own.map(file => dirname(file))]);
  const locks = [...folders].flatMap(folder => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter(name => /\.(?:lock|json|toml)$/.test(basename(name)))
      .map(name => join(folder, name));
  });
  return [...new Set([...locks, ...own])];
}

/** The revision nearest to a hash: in the same entry of a lock file, or in the URL next to it. */
function revisionNear(text: string, at: number): string | null {
  const { start, end } = bracesAround(text, at);
  // A URL may use a variable that is defined before the fetch.
  const isWhole = !/\$\{|\binherit\b|\brev\s*;/.test(text.slice(start, end));
  let best: { revision: string; distance: number } | null = null;
  for (const match of text.matchAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g)) {
    if (isWhole && (match.index < start || match.index > end)) continue;
    const distance = Math.abs(match.index - at);
    if (distance < 1_000 && (best === null || distance < best.distance)) best = { revision: match[0], distance };
  }
  return best?.revision ?? null;
}

/** The innermost `{ … }` around an offset, or the whole text. */
function bracesAround(text: string, at: number): { start: number; end: number } {
  let depth = 0;
  let start = at;
  for (; start >= 0 && depth <= 0; start--) depth += text[start] === '{' ? 1 : text[start] === '}' ? -1 : 0;
  let end = at;
  for (depth = 0; end < text.length && depth <= 0; end++) depth += text[end] === '}' ? 1 : text[end] === '{' ? -1 : 0;
  return { start: start + 1, end };
}

/** Logs which nixpkgs the hosts are built from, and how it is pinned. */
export function logPins(hosts: readonly Pick<Host, 'name' | 'nixpkgs'>[], log: Log): void {
  const hostsOf = new Map<string, string[]>();
  for (const { name, nixpkgs } of hosts) {
    if (nixpkgs === null) continue;
    const version = [nixpkgs.revision, nixpkgs.narHash].filter(each => each !== null).join(', ') || 'without a commit';
    const what = `nixpkgs ${version}, pinned by ${nixpkgs.by}`;
    hostsOf.set(what, [...(hostsOf.get(what) ?? []), name]);
  }
  for (const [what, names] of hostsOf) log.info(`${what}: ${names.join(', ')}`);
}
