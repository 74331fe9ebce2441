import type { Pin } from '../plan/fleet.ts';
import type { ArchiveInputs } from './inputs.ts';

/** What the archive stage hands on: where each host's closure lies as files that Nix can import. */
export interface Archive {
  host: string;
  system: string;
  toplevel: string;
  kind: ArchiveKind;
  /** The directory: a binary cache with `manifest.json` beside it. */
  directory: string;
  /** Its size in bytes, as files. */
  bytes: number;
  /** Store paths inside it. */
  paths: number;
  /** Store paths of the whole closure. */
  closurePaths: number;
  /** Sum of the NAR sizes of the whole closure, in bytes. */
  closureBytes: number;
  /** Sum of the NAR sizes of what lies inside, in bytes; equal to `closureBytes` for a full archive. */
  insideBytes: number;
  /**
   * sha256 of what the archive holds (host, system, every path with its NAR hash, inside or not), without its
   * provenance: the same closure has the same digest, whichever commit or run made it. `sha256:…`, 64 hex digits.
   */
  digest: string;
  /** The key that signed it, in Nix's form `name:base64`; null when unsigned. */
  publicKey: string | null;
  /** Null when not uploaded. */
  artifact: Artifact | null;
}

export interface Artifact {
  name: string;
  id: number;
  /** Of the zip, as the results service computed it: `sha256:…`. */
  digest: string;
  /** Bytes of the zip. */
  bytes: number;
  /** The run that holds it, when that is an earlier one that already had the same archive; null: this run. */
  run: number | null;
}

export const archiveKinds = ['delta', 'full', 'none'] as const;
export type ArchiveKind = (typeof archiveKinds)[number];

/** What the archive stage is asked for: its inputs, and what only the entry and the plan know. */
export interface ArchiveConfig extends ArchiveInputs, ArchiveSurroundings {}

/** Where archives are kept. */
export interface ArchiveStores {
  /** Each host's archive becomes the folder `closure-<host>` in it; created if missing. */
  directory: string;
  /** Null: archives are not uploaded and can only be read from folders. */
  artifacts: ArtifactStore | null;
}

export interface ArchiveSurroundings extends Pick<ArchiveStores, 'directory'> {
  /** Absolute path of the folder that holds the configuration; null: there is none to put into the archive. */
  source: string | null;
  provenance: Provenance;
}

/** Where an archive comes from; told to whoever installs it, and no part of its digest. */
export interface Provenance {
  /** 40 hex digits; null outside Git. */
  commit: string | null;
  /** Address of the repository, or `owner/name`; null when unknown. */
  repository: string | null;
  /** Address of the run; it goes with the uploaded artifact, never into the archive, whose bytes it would change. */
  run: string | null;
  /** What made the archive, as `nix-ferry 0.1.0`. */
  producer: string;
}

/** `manifest.json`, as schemas/manifest-1.json describes it. */
export interface Manifest {
  version: 1;
  kind: 'delta' | 'full';
  host: string;
  /** The name the machine itself goes by (`networking.hostName`); null when the toplevel does not say. */
  hostName: string | null;
  system: string;
  toplevel: string;
  /** See Archive.digest. */
  digest: string;
  /** The key that signed the manifest and every path inside, in Nix's form; null when unsigned. */
  publicKey: string | null;
  commit: string | null;
  repository: string | null;
  producer: string;
  nixVersion: string;
  nixpkgs: Pin | null;
  /** Store paths of the configuration and of the pinned nixpkgs, where they go along. */
  source: { configuration: string; nixpkgs: string | null } | null;
  /** sha256 of the file SHA256SUMS, which has those of all other small files: `sha256:…`, 64 hex digits. */
  sums: string;
  /** The whole closure, sorted by path. */
  paths: ManifestPath[];
}

export interface ManifestPath {
  path: string;
  /** SRI form. */
  narHash: string;
  /** Bytes. */
  narSize: number;
  /** True when its NAR lies in the archive. */
  inside: boolean;
  /** Name of the key of the cache that has it, as `cache.nixos.org-1`; null when it lies inside. */
  cache: string | null;
}

/** Where artifacts are kept: GitHub's results service (src/archive/upload.ts). */
export interface ArtifactStore {
  /** @param files absolute, all below `directory`. */
  upload(name: string, directory: string, files: readonly string[]): Promise<Artifact>;
  /** Names of this run's artifacts, or of another's; newest first where a name occurs twice. */
  list(run: number | null): Promise<Artifact[]>;
  /** Downloads and unpacks into `directory`, and refuses what does not have the digest it was listed with. */
  download(artifact: Artifact, directory: string): Promise<void>;
  /**
   * The artifact that was noted down for `key` by an earlier run of this repository, or by this one, if it still exists and
   * will for a day.
   */
  recall(key: string): Promise<Artifact | null>;
  /** Notes for later runs that `artifact` holds what `key` stands for. */
  remember(key: string, artifact: Artifact): Promise<void>;
}

/** The artifact and the folder in which a host's archive travels: characters that are special anywhere become `_`. */
export function archiveName(host: string): string {
  return `closure-${host.replace(/[^A-Za-z0-9_.-]/g, '_')}`;
}

/** The only file of an artifact that stands for one of an earlier run: an `Artifact` as JSON. */
export const referenceFile = 'reference.json';
