import type { Format } from './formats/index.ts';
import type { SecretText } from './secret-text.ts';

export type { Format } from './formats/index.ts';

/** The result of the plan stage: plain data, printable as JSON. */
export interface Fleet {
  format: Format;
  /** Why `format` was chosen, in words; null if the user chose it. */
  detected: string | null;
  /** Absolute path of the folder that holds the configuration. */
  source: string;
  /** The repository's commit, 40 hex digits; null outside Git. */
  commit: string | null;
  /** True if tracked files differ from `commit`. */
  dirty: boolean;
  /** All hosts that the source defines, also those that are not selected. */
  names: string[];
  hosts: Host[];
  /** Hosts that were selected but could not be evaluated. */
  failures: EvaluationFailure[];
}

/** A host: a name in the repository with a system configuration. */
export interface Host {
  name: string;
  /** Nix's name of its platform, for example `x86_64-linux`. */
  system: string;
  toplevel: Toplevel;
  /** Where it runs; null if neither the source nor `targets` defines it, or if the host is only built. */
  target: Target | null;
  /** Why the target that the source defines cannot be used, and what to write; null if it can. */
  unusable: string | null;
  tags: string[];
  /** True if the source defines that the host is only built (morph's `buildOnly`, colmena's `targetHost = null`). */
  buildOnly: boolean;
  healthChecks: HealthChecks;
  preDeployChecks: HealthChecks;
  secrets: Secret[];
  overrides: Overrides;
  /** The nixpkgs that it is built from; null if it is not known or not pinned. */
  nixpkgs: Pin | null;
  /** The settings of the target's own Nix; null if the host's modules have no `nix` options. */
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
  /** A name or address for SSH; `local`: this machine, without SSH. */
  address: string;
  /** Null: the port of SSH's own configuration, or 22. */
  port: number | null;
  user: string;
  /** The words before a command that needs root, for example `["sudo", "-n"]`; not used if `user` is root. */
  privilegeEscalation: string[];
  /** Further arguments for ssh, from deploy-rs' `sshOpts` or colmena's `sshOptions`. */
  sshOptions: string[];
  /** Who set them: the input `targets`, or the source, which may set only some. */
  sshOptionsFrom: 'source' | 'targets';
  /** Whether the target may fetch missing paths from its own substituters. */
  substituteOnDestination: boolean;
}

/** Inputs of the deploy stage that have another value for one host; those that are left out have the input's. */
export interface Overrides {
  failedUnits?: 'degrade' | 'rollback' | 'ignore';
  /** Seconds; 0: no limit. */
  hostTimeout?: number;
  offline?: 'fail' | 'skip';
}

/** Whether the target is the machine that the deployment runs on. */
export function isLocal({ address }: Pick<Target, 'address'>): boolean {
  return address === 'local';
}

/** Where HTTP checks go that have no host of their own. */
export function webAddress(target: Pick<Target, 'address'>): string {
  return isLocal(target) ? 'localhost' : target.address;
}

/** The target as people write it: `user@address:port`. */
export function targetName(target: Pick<Target, 'address' | 'port' | 'user'>): string {
  if (isLocal(target)) return target.address;
  const { address, port, user } = target;
  if (port === null) return `${user}@${address}`;
  return `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;
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

/** A secret: a file on the target whose content must not be in the store. */
export interface Secret {
  name: string;
  /**
   * Where the deployer reads it: a file or a command's output on the machine that deploys (`folder` is where the command runs),
   * a variable `FERRY_SECRET_<env>` of its environment, or the text itself.
   */
  source: { file: string } | { command: string[]; folder?: string } | { env: string } | { text: SecretText };
  destination: string;
  user: string;
  group: string;
  /** Octal, for example "0400". */
  permissions: string;
  /** The words of a command that is run on the target if the content has changed; empty: none. */
  action: string[];
  mkDirs: boolean;
  uploadAt: 'pre-activation' | 'post-activation';
}

/** How a nixpkgs is pinned. */
export interface Pin {
  revision: string | null;
  /** SRI form. */
  narHash: string | null;
  /** Where it is pinned, for example "flake.lock" or "npins/sources.json". */
  by: string;
}

export interface EvaluationFailure {
  host: string;
  /** One or two sentences: what is wrong, and what to write instead. */
  message: string;
  /** What Nix printed, at most 16 KiB. */
  trace: string;
  file: string | null;
  line: number | null;
  column: number | null;
}
