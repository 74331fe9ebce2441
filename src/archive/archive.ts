/** What the archive stage hands on: where each host's closure lies as files that Nix can import. */
export interface Archive {
  host: string;
  system: string;
  toplevel: string;
  /** The directory: a binary cache with `manifest.json` beside it. */
  directory: string;
  /** Its size in bytes, as files. */
  bytes: number;
  /** Store paths inside it. */
  paths: number;
  /** Sum of the NAR sizes of the whole closure, in bytes. */
  closureBytes: number;
  /** sha256 of the manifest, which names every path's NAR hash: `sha256:…`, 64 hex digits. */
  digest: string;
  /** Null when not uploaded. */
  artifact: Artifact | null;
}

export interface Artifact {
  name: string;
  id: number;
  /** Of the zip, as the results service computed it. */
  digest: string;
}
