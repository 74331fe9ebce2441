import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built } from '../build/built.ts';
import type { Context } from '../context.ts';
import type { Nix, PathInfo } from '../nix/index.ts';
import type { ArchiveConfig, Manifest } from './archive.ts';
import { chooseInside } from './inside.ts';
import { manifestDigest } from './manifest.ts';
import { nixpkgsOf } from './source.ts';

type BuiltHost = Extract<Built, { ok: true }>;

/** A host with everything that its archive covers. */
export interface Contents extends Pick<BuiltHost, 'host' | 'toplevel' | 'closure'> {
  source: Manifest['source'];
}

/** @param configuration the store path of the configuration that goes into the archive; null: none does */
export async function contentsOf(
  { host, toplevel, closure }: BuiltHost,
  configuration: string | null,
  nix: Nix,
  context: Context,
): Promise<Contents> {
  if (configuration === null) return { host, toplevel, closure, source: null };
  const nixpkgs = await nixpkgsOf(host.nixpkgs, nix);
  if (nixpkgs === null) {
    context.log.notice(
      `${host.name}: the archive does not include nixpkgs, which is not pinned by a hash or not in the store`,
    );
  }
  const known = new Set(closure.map(({ path }) => path));
  const more = await nix.closure([configuration, ...(nixpkgs === null ? [] : [nixpkgs])]);
  const added = more.filter(({ path }) => !known.has(path));
  return { host, toplevel, closure: [...closure, ...added], source: { configuration, nixpkgs } };
}

export async function manifestOf(
  { host, toplevel, closure, source }: Contents,
  kind: 'delta' | 'full',
  publicKey: string | null,
  { commit, repository, branch, committed, producer }: ArchiveConfig['provenance'],
  nix: Nix,
): Promise<Manifest> {
  const paths = chooseInside(closure, kind, host.nix);
  const content = { kind, host: host.name, system: host.system, toplevel, publicKey, source, paths };
  return {
    version: 1,
    ...content,
    hostName: await hostNameOf(toplevel),
    digest: manifestDigest(content),
    commit,
    repository,
    branch,
    committed,
    producer,
    nixVersion: nix.installation.version,
    nixpkgs: host.nixpkgs,
    // Set when all files are written; see write.ts.
    sums: '',
  };
}

/** NixOS writes `networking.hostName` to `etc/hostname` (nixos/modules/tasks/network-interfaces.nix). */
async function hostNameOf(toplevel: string): Promise<string | null> {
  try {
    return (await readFile(join(toplevel, 'etc/hostname'), 'utf8')).trim() || null;
  } catch {
    return null;
  }
}

/** Shared by the archives of several hosts: every path that is inside one of them. */
export function pathsInside(manifests: readonly Manifest[]): Set<string> {
  return new Set(manifests.flatMap(({ paths }) => paths.filter(path => path.inside).map(({ path }) => path)));
}

/** The paths inside the archives, described. */
export function insideOf(
  contents: readonly Contents[],
  manifests: readonly Manifest[],
): { paths: PathInfo[]; closure: Map<string, PathInfo> } {
  const closure = new Map(contents.flatMap(one => one.closure).map(info => [info.path, info]));
  return { paths: [...pathsInside(manifests)].map(path => closure.get(path) as PathInfo), closure };
}
