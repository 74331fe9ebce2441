/** What the plan stage hands on: plain data, printable as JSON. */
export interface Fleet {
  format: Format;
  /** Why `format` was chosen, in words, when it was detected. */
  detected: string | null;
  /** Absolute path of the folder that holds the configuration. */
  source: string;
  /** The repository's commit, 40 hex digits; null outside Git. */
  commit: string | null;
  /** True when tracked files differ from `commit`. */
  dirty: boolean;
  hosts: Host[];
  /** Hosts that were selected but could not be evaluated. */
  failures: EvaluationFailure[];
}

export const formats = ['flake', 'expression', 'configuration', 'morph', 'nixops', 'deploy-rs', 'colmena'] as const;
export type Format = (typeof formats)[number];

/** A host: a name in the repository with a system configuration. */
export interface Host {
  name: string;
  /** Nix's name of its platform, as `x86_64-linux`. */
  system: string;
  toplevel: Toplevel;
  /** Where it runs; null when nothing says so, or the source says it is only built. */
  target: Target | null;
  tags: string[];
  /** True when the source says that this host is only built (morph's `buildOnly`, colmena's `targetHost = null`). */
  buildOnly: boolean;
  healthChecks: HealthChecks;
  preDeployChecks: HealthChecks;
  secrets: Secret[];
  /** The nixpkgs it is built from; null where the adapter cannot tell. */
  nixpkgs: Pin | null;
  /** What the evaluated configuration tells of the target's own Nix; null where the host's modules have no `nix` options. */
  nix: HostNix | null;
}

export interface Toplevel {
  drvPath: string;
  outPath: string;
}

/** From `nix.settings` (before 22.05: `nix.binaryCaches`, `nix.binaryCachePublicKeys`) of the evaluated host. */
export interface HostNix {
  substituters: string[];
  trustedPublicKeys: string[];
}

export interface Target {
  /** A name or address, as SSH takes it. */
  address: string;
  /** Null: what SSH's own configuration says, 22 without one. */
  port: number | null;
  user: string;
  /** What stands before a command that needs root, as `["sudo", "-n"]`; not used when `user` is root. */
  privilegeEscalation: string[];
  /** Further words for ssh, as deploy-rs' `sshOpts` and colmena's `sshOptions` give them. */
  sshOptions: string[];
  /** Whether the target may fetch from its own substituters what it lacks. */
  substituteOnDestination: boolean;
}

export interface HealthChecks {
  cmd: { description: string; cmd: string[]; period: number; timeout: number }[];
  http: {
    description: string;
    host: string | null;
    scheme: string;
    port: number;
    path: string;
    headers: Record<string, string>;
    period: number;
    timeout: number;
    insecureSSL: boolean;
  }[];
}

/** A secret's description, never its content; `source` says where the deployer finds it. */
export interface Secret {
  name: string;
  source: { file: string } | { command: string[] } | { text: string };
  destination: string;
  user: string;
  group: string;
  /** Octal, as "0400". */
  permissions: string;
  action: string[];
  mkDirs: boolean;
  uploadAt: 'pre-activation' | 'post-activation';
}

/** How a nixpkgs is fixed. */
export interface Pin {
  revision: string | null;
  /** SRI form. */
  narHash: string | null;
  /** Where it is fixed, as "flake.lock" or "npins/sources.json". */
  by: string;
}

export interface EvaluationFailure {
  host: string;
  /** One or two sentences: what is wrong and what to write instead. */
  message: string;
  /** What Nix printed, at most 16 KiB. */
  trace: string;
  file: string | null;
  line: number | null;
  column: number | null;
}
