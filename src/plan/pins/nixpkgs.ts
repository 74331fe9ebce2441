import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { UserError } from '../../errors.ts';
import { type Adapter, callAdapter } from '../evaluation/adapter.ts';
import type { Choice } from '../formats/choose.ts';
import { formats } from '../formats/index.ts';
import type { Source } from '../source.ts';
import { foldersUpTo } from './folders.ts';
import { pinError } from './problems.ts';

/** What <nixpkgs> is for a source. */
interface SearchPath {
  /** The entries; undefined: there is no <nixpkgs>. */
  entries?: readonly string[];
  /** The folder of a pinned nixpkgs; null if there is no pin. */
  folder: string | null;
  /** Nix files that were evaluated to find it. */
  files: ReadonlySet<string>;
}

/**
 * Adds <nixpkgs> to the adapter of a source that is not a flake: the input `nixpkgs`, a pin next to or above the source if its
 * format does not name a nixpkgs itself, or with `nixpkgs-pin: warn` the machine's.
 *
 * @returns the adapter, and the Nix files that were evaluated to find the pin.
 * @throws UserError if the pin is invalid, if there are several, or if there is none and the format requires one.
 */
export async function withNixpkgs(
  choice: Choice,
  source: Source,
): Promise<{ adapter: Adapter; files: ReadonlySet<string> }> {
  const { adapter } = choice;
  if ('reference' in adapter.request) return { adapter, files: new Set() };
  const { entries, folder, files } = await searchPathOf(choice, source);
  const request = folder === null ? adapter.request : { ...adapter.request, nixpkgs: folder };
  return { adapter: { ...adapter, request, ...(entries === undefined ? {} : { searchPath: entries }) }, files };
}

async function searchPathOf({ adapter, format, main }: Choice, source: Source): Promise<SearchPath> {
  const { inputs } = source;
  const { pinNearby } = formats[format];
  const pin = inputs.nixpkgs ?? (pinNearby === undefined ? null : pinOfFolder(dirname(main), source, pinNearby));
  if (pin !== null) {
    const { folder, files } = await folderOf(readNixpkgs(pin, source.folder), adapter, source);
    return { entries: [`nixpkgs=${folder}`], folder, files };
  }
  const none = { folder: null, files: new Set<string>() };
  if (inputs.nixpkgsPin === 'warn') return { ...none, entries: machineSearchPath(inputs.nixPath) };
  if (pinNearby !== 'required') return none;
  throw pinError([
    {
      what: `${main} does not name a nixpkgs, and none is pinned next to it or above it`,
      file: main,
      line: null,
      cure: 'Run `npins init` next to it, or set the input `nixpkgs` to a pin, for example `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
    },
  ]);
}

/**
 * The pin next to or above a source.
 *
 * @param start the folder of its main file, relative to that of the source.
 * @throws UserError if there are several and the source cannot choose one itself.
 */
function pinOfFolder(start: string, { folder, root }: Source, need: 'optional' | 'required'): string | null {
  const [first, second] = pinsAround(join(folder, start), root).map(path => relative(folder, path));
  if (second === undefined) return first ?? null;
  if (need === 'optional') return null;
  throw new UserError(`Both ${first} and ${second} pin a nixpkgs.`, {
    where: { input: 'nixpkgs' },
    cure: `Write \`nixpkgs: ${first}\` or \`nixpkgs: ${second}\`.`,
  });
}

async function folderOf(
  given: GivenNixpkgs | string,
  adapter: Adapter,
  source: Source,
): Promise<{ folder: string; files: ReadonlySet<string> }> {
  if (typeof given === 'string') return { folder: given, files: new Set() };
  // The input `nixpkgs` may name a file outside of the repository; npins and niv read files next to it.
  const near = isAbsolute(given.path) ? [dirname(given.path)] : [];
  const readable = [...(adapter.readable ?? []), ...near];
  const pinAdapter = { ...adapter, file: 'pin', request: { ...given }, readable };
  const { value, failure, files } = await callAdapter(pinAdapter, { attribute: 'names' }, source);
  if (failure !== null) throw source.errorFor(failure, relative(source.folder, given.path));
  return { folder: (value as { root: string }).root, files };
}

/** The entries of NIX_PATH; a colon in a URL does not separate entries. Without NIX_PATH, Nix's default for channels. */
function machineSearchPath(nixPath: string | null): string[] {
  if (nixPath !== null) return nixPath.split(/:(?!\/\/)/).filter(entry => entry !== '');
  return [
    `${homedir()}/.nix-defexpr/channels`,
    'nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixpkgs',
    '/nix/var/nix/profiles/per-user/root/channels',
  ];
}

/** A pinned nixpkgs; `nix/pin.nix` finds its folder. */
interface GivenNixpkgs {
  kind: 'sources' | 'lock' | 'file' | 'reference';
  /** Absolute path, or the reference. */
  path: string;
}

/**
 * Reads the input `nixpkgs`: a path in the source (a file of npins or niv, flake.lock, a file that evaluates to a path, a
 * folder), or a locked flake reference.
 *
 * @returns how to find the folder of nixpkgs, or the folder itself. @throws UserError if it is none of these.
 */
function readNixpkgs(text: string, source: string): GivenNixpkgs | string {
  const path = resolve(source, text);
  if (existsSync(path)) {
    if (/\.lock$/.test(path)) return { kind: 'lock', path };
    if (existsSync(join(path, 'nixos'))) return path;
    if (existsSync(join(path, 'default.nix'))) return { kind: 'sources', path: join(path, 'default.nix') };
    return { kind: /sources\.nix$/.test(path) ? 'sources' : 'file', path };
  }
  if (/^[a-z+]+:/.test(text)) {
    if (/[?&]narHash=sha256-/.test(text)) return { kind: 'reference', path: text };
    throw new UserError(`The input nixpkgs, ${JSON.stringify(text)}, has no hash.`, {
      where: { input: 'nixpkgs' },
      cure: 'Add the commit and the hash: `github:NixOS/nixpkgs/<commit>?narHash=sha256-…` (`nix flake prefetch --json` prints it).',
    });
  }
  throw new UserError(`The input nixpkgs is ${JSON.stringify(text)}, which does not exist.`, {
    where: { input: 'nixpkgs' },
    cure: 'Write a file or folder of the source (npins, nix/sources.nix, flake.lock, nixpkgs.nix), or a locked flake reference, for example `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
  });
}

/** Pins in a folder, under the names that their tools use, or in the nearest folder above it that has any. */
function pinsAround(start: string, root: string): string[] {
  for (const folder of foldersUpTo(root, start)) {
    const names = ['npins', 'nix/sources.nix', 'flake.lock', 'nixpkgs.nix', 'nixpkgs'];
    const existing = names.filter(name => existsSync(join(folder, name === 'npins' ? 'npins/default.nix' : name)));
    if (existing.length > 0) return existing.map(name => join(folder, name));
  }
  return [];
}
