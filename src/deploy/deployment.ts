import type { HealthChecks, Secret, Target } from '../plan/fleet.ts';
import type { DeployInputs } from './inputs.ts';

/** One host to deploy: what the deploy stage needs of it, plain data. */
export interface Deployment {
  host: string;
  /** Nix's name of its platform, as `x86_64-linux`. */
  system: string;
  /** Store path of the system to activate. */
  toplevel: string;
  /** What it was built from, 40 hex digits, for the record on the target; null when unknown. */
  commit: string | null;
  /** Where it runs; null: nowhere that we know of. */
  target: Target | null;
  /** True when the source says that this host is only built. */
  buildOnly: boolean;
  tags: string[];
  closure: ClosureSource;
  /** Sum of the NAR sizes of the closure, in bytes; null when nobody counted. */
  closureBytes: number | null;
  healthChecks: HealthChecks;
  preDeployChecks: HealthChecks;
  secrets: Secret[];
}

/** Where the closure is taken from: the local store, or the directory of an archive that holds all of it. */
export type ClosureSource = { from: 'store' } | { from: 'archive'; directory: string };

/** How the deploy stage proceeds: its inputs, and who asks for it. */
export interface DeployConfig extends DeployInputs, Deployer {}

/** Who deploys. */
export interface Deployer {
  /** For the target's journal and lock, such as "owner/repo run 12 by someone". */
  who: string;
  /** Address of the run, for the record on the target; null outside of GitHub Actions. */
  run: string | null;
}
