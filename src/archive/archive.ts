import type { Pin } from '../plan/fleet.ts';
import type { ArchiveInputs } from './inputs.ts';

/** The result of the archive stage for one host: its closure as files that Nix can import. */
export interface Archive {
  host: string;
  system: string;
  toplevel: string;
  kind: ArchiveKind;
  /** A binary cache, with `manifest.json` in the same directory. */
  directory: string;
  /** The size of its files, in bytes. */
  bytes: number;
  /** The number of store paths inside it. */
  paths: number;
  /** The number of store paths of the whole closure. */
  closurePaths: number;
  /** Sum of the NAR sizes of the whole closure, in bytes. */
  closureBytes: number;
  /** Sum of the NAR sizes of the paths inside, in bytes; equal to `closureBytes` for a full archive. */
  insideBytes: number;
  /**
   * sha256 of the archive's content (host, system, every path with its NAR hash, inside or not), without its provenance:
   * the same closure has the same digest, whichever commit or run made it. `sha256:…`, 64 hex digits.
   */
  digest: string;
  /** The key that signed it, in Nix's form `name:base64`; null if it is not signed. */
  publicKey: string | null;
  /** Null if it was not uploaded. */
  artifact: Artifact | null;
}

export interface Artifact {
  name: string;
  id: number;
  /** The digest of the zip that the results service computed: `sha256:…`. */
  digest: string;
  /** The size of the zip, in bytes. */
  bytes: number;
  /** The number of the earlier run that already uploaded the same archive; null: this run. */
  run: number | null;
}

export const archiveKinds = ['delta', 'full', 'none'] as const;
export type ArchiveKind = (typeof archiveKinds)[number];

/** The configuration of the archive stage: its inputs, and values from the entry and the plan. */
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

/** Where an archive comes from. It is shown when the archive is installed, and is not part of its digest. */
export interface Provenance {
  /** 40 hex digits; null outside Git. */
  commit: string | null;
  /** Address of the repository, or `owner/name`; null if unknown. */
  repository: string | null;
  branch: string | null;
  /** When it was committed, in seconds since 1970; null if unknown. */
  committed: number | null;
  /** Address of the run. It is uploaded with the archive but is not part of it, since it would change the bytes. */
  run: string | null;
  /** The program that made the archive, such as `nix-ferry 0.1.0`. */
  producer: string;
}

/** The content of `manifest.json`; see schemas/manifest-1.json. */
export interface Manifest {
  version: 1;
  kind: 'delta' | 'full';
  host: string;
  /** The name of the machine itself (`networking.hostName`); null if the toplevel does not contain it. */
  hostName: string | null;
  system: string;
  toplevel: string;
  /** See Archive.digest. */
  digest: string;
  /** The key that signed the manifest and every path inside, in Nix's form; null if unsigned. */
  publicKey: string | null;
  commit: string | null;
  repository: string | null;
  /** Left out by older releases; null if unknown. */
  branch?: string | null;
  /** When it was committed, in seconds since 1970. Left out by older releases; null if unknown. */
  committed?: number | null;
  producer: string;
  nixVersion: string;
  nixpkgs: Pin | null;
  /** Store paths of the configuration and of the pinned nixpkgs, if they are included. */
  source: { configuration: string; nixpkgs: string | null } | null;
  /** sha256 of the file SHA256SUMS, which lists those of all other small files: `sha256:…`, 64 hex digits. */
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
  /** Whether its NAR is in the archive. */
  inside: boolean;
  /** The key name of the cache that has it, such as `cache.nixos.org-1`; null if it is in the archive. */
  cache: string | null;
}

/** Stores artifacts: GitHub's results service (src/archive/upload.ts). */
export interface ArtifactStore {
  /**
   * @param files absolute paths below `directory`.
   * @param compression from 0, which is the default, to 9.
   */
  upload(name: string, directory: string, files: readonly string[], compression?: number): Promise<Artifact>;
  /** The artifacts of a run (null: this run); the newest first if a name occurs twice. */
  list(run: number | null): Promise<Artifact[]>;
  /**
   * Checks that another run built this repository's own code on this run's branch. @throws UserError if it did not, such as
   * a run for a pull request, to which a fork can upload anything
   */
  checkRun(run: number): Promise<void>;
  /** Downloads and unpacks into `directory`. @throws UserError if the digest is not the one that was listed */
  download(artifact: Artifact, directory: string): Promise<void>;
  /**
   * The artifact that this run or an earlier run of this repository recorded under `key`; null if there is none, or if it
   * expires within a day.
   */
  recall(key: string): Promise<Artifact | null>;
  /** Records for later runs that `artifact` has the content that `key` identifies. */
  remember(key: string, artifact: Artifact): Promise<void>;
}

/**
 * The name of a host's artifact and folder; no two hosts share one. Characters that are special in file names or artifacts
 * become their code in hexadecimal: `a/b` is `closure-a~2f~b`.
 */
export function archiveName(host: string): string {
  const code = (character: string): string => `~${character.codePointAt(0)?.toString(16)}~`;
  return `closure-${host.replace(/[^A-Za-z0-9_.-]/gu, code)}`;
}

/** The only file of an artifact that refers to the artifact of an earlier run: a `Reference` as JSON. */
export const referenceFile = 'reference.json';

export interface Reference {
  artifact: Artifact;
  /** The digest of the archive that this run made; the archive in the artifact must have it. */
  digest: string;
}
