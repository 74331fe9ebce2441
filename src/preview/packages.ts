import type { ClosurePath } from './description.ts';

/** A store path's name, taken apart. */
export interface PackageName {
  name: string;
  /** Empty if the name has none. */
  version: string;
}

/** A package that only one of two closures has. */
export interface PackageEntry {
  name: string;
  versions: string[];
  bytes: number;
}

/** A package of which two closures have different versions. */
export interface PackageUpdate {
  name: string;
  /** Versions that only the closure before has. */
  from: string[];
  /** Versions that only the closure after has. */
  to: string[];
  /** By how much it grows. */
  bytes: number;
}

/** How the packages of a closure change. */
export interface PackageChanges {
  added: PackageEntry[];
  removed: PackageEntry[];
  updated: PackageUpdate[];
  /** Packages with the same versions and other store paths. */
  rebuilt: { names: string[]; bytes: number };
  /** Store paths without a version (units, files of /etc, …) that come or go. */
  others: { added: number; removed: number; bytes: number };
  /** Sizes of the closures. */
  bytes: { before: number; after: number };
}

/** Words that end a version, and are no output's name. */
const stages = /^(unstable|stable|alpha|beta|rc|pre|git|dirty|snapshot|final|release)$/;

/**
 * Takes a store path's name apart as `builtins.parseDrvName` does: the version begins after the first dash that no letter
 * follows. The name of an output at the end (`openssl-3.0.13-bin`) is removed: outputs are one package.
 */
export function packageName(path: string): PackageName {
  const full = path.replace(/^.*\//s, '').replace(/^[0-9a-z]{32}-/, '');
  const at = full.search(/-[^A-Za-z]/);
  if (at === -1) return { name: full, version: '' };
  const version = full.slice(at + 1);
  const [, own = version, output = ''] = /^(.+)-([a-z]+|lib32|lib64)$/.exec(version) ?? [];
  return { name: full.slice(0, at), version: stages.test(output) ? version : own };
}

interface Package {
  /** Version → paths. */
  versions: Map<string, ClosurePath[]>;
  bytes: number;
}

/**
 * Compares two closures.
 *
 * @param toplevels their toplevels, which are no packages: their names contain those of hosts, whose changes would all differ.
 */
export function comparePackages(
  before: readonly ClosurePath[],
  after: readonly ClosurePath[],
  toplevels: readonly string[] = [],
): PackageChanges {
  const [was, is] = [packagesOf(before, toplevels), packagesOf(after, toplevels)];
  const changes: PackageChanges = {
    ...{ added: [], removed: [], updated: [], rebuilt: { names: [], bytes: 0 } },
    others: compareOthers(before, after),
    bytes: { before: total(before), after: total(after) },
  };
  for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
    const [old, now] = [was.get(name), is.get(name)];
    if (old === undefined && now !== undefined) changes.added.push(entryOf(name, now));
    else if (now === undefined && old !== undefined) changes.removed.push(entryOf(name, old));
    else if (old !== undefined && now !== undefined) compareOne(name, old, now, changes);
  }
  return changes;
}

function compareOne(name: string, old: Package, now: Package, changes: PackageChanges): void {
  const [from, to] = [only(old, now), only(now, old)];
  const bytes = now.bytes - old.bytes;
  if (from.length > 0 || to.length > 0) changes.updated.push({ name, from, to, bytes });
  else if (pathsOf(old) !== pathsOf(now)) {
    changes.rebuilt.names.push(name);
    changes.rebuilt.bytes += bytes;
  }
}

function only(a: Package, b: Package): string[] {
  return [...a.versions.keys()].filter(version => !b.versions.has(version)).sort();
}

function pathsOf({ versions }: Package): string {
  const paths = [...versions.values()].flat().map(({ path }) => path);
  return paths.sort().join('\n');
}

function packagesOf(closure: readonly ClosurePath[], leftOut: readonly string[]): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const path of closure) {
    const { name, version } = packageName(path.path);
    if (version === '' || leftOut.includes(path.path)) continue;
    const known = packages.get(name) ?? { versions: new Map(), bytes: 0 };
    packages.set(name, known);
    known.bytes += path.bytes;
    known.versions.set(version, [...(known.versions.get(version) ?? []), path]);
  }
  return packages;
}

function entryOf(name: string, { versions, bytes }: Package): PackageEntry {
  return { name, versions: [...versions.keys()].sort(), bytes };
}

function compareOthers(before: readonly ClosurePath[], after: readonly ClosurePath[]): PackageChanges['others'] {
  const others = (closure: readonly ClosurePath[]): ClosurePath[] =>
    closure.filter(({ path }) => packageName(path).version === '');
  const [was, is] = [others(before), others(after)];
  const missing = (a: readonly ClosurePath[], b: readonly ClosurePath[]): number => {
    const known = new Set(b.map(({ path }) => path));
    return a.filter(({ path }) => !known.has(path)).length;
  };
  return { added: missing(is, was), removed: missing(was, is), bytes: total(is) - total(was) };
}

function total(closure: readonly ClosurePath[]): number {
  return closure.reduce((sum, { bytes }) => sum + bytes, 0);
}
