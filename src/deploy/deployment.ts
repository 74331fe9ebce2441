import type { HealthChecks, Overrides, Secret, Target } from '../plan/fleet.ts';
import type { DeployInputs } from './inputs.ts';

/** A system that is to be deployed to a host: everything the deploy stage needs to know about it, as plain data. */
export interface Deployment {
  host: string;
  /** Nix's name of the platform, as `x86_64-linux`. */
  system: string;
  /** Store path of the system to activate. */
  toplevel: string;
  /** What it was built from, for the record on the target. */
  origin: Origin;
  /** Where the host runs; null when unknown. */
  target: Target | null;
  /** True when the source says that this host is only built. */
  buildOnly: boolean;
  tags: string[];
  closure: ClosureSource;
  /** The directory of the archive that the closure is from; null if it was built. */
  archive: string | null;
  /** Sum of the NAR sizes of the closure, in bytes; null when not known. */
  closureBytes: number | null;
  healthChecks: HealthChecks;
  preDeployChecks: HealthChecks;
  secrets: Secret[];
  overrides: Overrides;
}

/** The source of a system; null when unknown. If all of it is known, a target refuses a commit older than its own. */
export interface Origin {
  /** 40 hex digits. */
  commit: string | null;
  /** `owner/name`, or an address. */
  repository: string | null;
  branch: string | null;
  /** When it was committed, in seconds since 1970. */
  committed: number | null;
}

/** Where the closure is copied from: the local store, or the directory of an archive that contains all of it. */
export type ClosureSource = { from: 'store' } | { from: 'archive'; directory: string };

/** How the deploy stage proceeds: its inputs, and who asks for it. */
export interface DeployConfig extends DeployInputs, Deployer {}

/** Who deploys. */
export interface Deployer {
  /** For the target's journal and lock, such as "owner/repo run 12 by someone". */
  who: string;
  /** Address of the run, for the record on the target; null outside of GitHub Actions. */
  run: string | null;
  /** Whether a person deploys whose own known_hosts and ssh_config are used if no host keys are pinned. */
  ownSsh: boolean;
  /** Whether a person or an event that runs the repository's own code asks for the run. Only such a run reads secrets. */
  ownCode: boolean;
  /** The variables `FERRY_SECRET_<name>` of the environment, by name. */
  secretVariables: Readonly<Record<string, string>>;
}
