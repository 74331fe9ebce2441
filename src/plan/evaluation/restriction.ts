import { realpath } from 'node:fs/promises';
import type { Adapter } from './adapter.ts';

/**
 * What an evaluation may fetch: everything from the network, but no repository or file of this machine. Nix before 2.19
 * compares whole parts of a path only, and does not compare references such as `github:` at all.
 */
const remote = [
  ...['http://', 'https://', 'ssh://', 'git://', 'ftp://'],
  ...['git+http://', 'git+https://', 'git+ssh://', 'hg+https://', 'hg+ssh://'],
  ...['tarball+http://', 'tarball+https://', 'file+http://', 'file+https://'],
  ...['github:', 'gitlab:', 'sourcehut:'],
  // Inputs of flakes that are part of another input. Everybody can read the store.
  'path:/nix/store/',
];

/**
 * The options of Nix by which an impure evaluation reads only the files that it is given: nix.conf(5), `restrict-eval`. In
 * this mode, Nix allows what is in the search path, what was fetched and what was built.
 *
 * @param ours the folder of the adapters.
 * @param addresses what `refusedAddress` found in earlier attempts.
 */
export async function restriction(adapter: Adapter, ours: string, addresses: readonly string[]): Promise<string[]> {
  const { roots, readable = [], searchPath = [] } = adapter;
  if (adapter.readsOnly === true) return [];
  const isInside = (path: string): boolean => roots.some(root => path === root || path.startsWith(`${root}/`));
  const outside = searchPath.map(entry => entry.slice(entry.indexOf('=') + 1)).filter(place => place.startsWith('/'));
  const own = await withTargets([ours, ...roots]);
  // A channel is a link to a link to the store; Nix compares a path before and after it follows links. A link in the
  // repository may point anywhere and allows nothing.
  const given = await withTargets([...readable, ...outside].filter(path => !isInside(path)));
  const names = [...own, ...given].map((path, index) => `ferry-readable-${index}=${path}`);
  const uris = [...remote, ...[...own, ...given].flatMap(uriOf), ...addresses];
  return [
    ...['--option', 'restrict-eval', 'true', '--option', 'allowed-uris', uris.join(' ')],
    ...[...searchPath, ...names].flatMap(entry => ['-I', entry]),
  ];
}

/** The addresses by which a folder can be fetched, in the spelling of `fetchGit` without a commit or branch. */
function uriOf(path: string): string[] {
  const queries = ['', '?exportIgnore=1', '?submodules=1', '?exportIgnore=1&submodules=1'];
  return [path, `file://${path}`, `path:${path}`, ...queries.map(query => `git+file://${path}${query}`)];
}

/** The paths, and what they are links to. */
async function withTargets(paths: readonly string[]): Promise<string[]> {
  const targets = await Promise.all(paths.map(path => realpath(path).catch(() => path)));
  return [...new Set([...paths, ...targets])];
}

/**
 * The address of the repository, or of a repository that may be read, that an evaluation was refused; null if it was not.
 *
 * Nix compares the query of an address exactly, and the commits and branches that an expression names are not known before
 * Nix reports them: `builtins.fetchGit { url = ./.; rev = "…"; }`.
 */
export async function refusedAddress(message: string, { roots, readable = [] }: Adapter): Promise<string | null> {
  const [, address, folder] = /access to URI '((git\+file:[^?#'\s]+)\?[^#'\s]+)' is forbidden/.exec(message) ?? [];
  if (address === undefined) return null;
  const places = await withTargets([...roots, ...readable]);
  return places.some(place => folder === `git+file://${encodeURI(place)}`) ? address : null;
}
