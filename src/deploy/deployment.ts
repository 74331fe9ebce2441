import type { HealthChecks, Secret, Target } from '../plan/fleet.ts';
import type { Mode } from './outcome.ts';

/** A system that is to be deployed to a host: everything the deploy stage needs to know about it, as plain data. */
export interface Deployment {
  host: string;
  /** Nix's name of the platform, as `x86_64-linux`. */
  system: string;
  /** Store path of the system to activate. */
  toplevel: string;
  /** The commit it was built from, 40 hex digits, for the record on the target; null when unknown. */
  commit: string | null;
  /** Where the host runs; null when unknown. */
  target: Target | null;
  /** True when the source says that this host is only built. */
  buildOnly: boolean;
  tags: string[];
  closure: ClosureSource;
  /** Sum of the NAR sizes of the closure, in bytes; null when not known. */
  closureBytes: number | null;
  healthChecks: HealthChecks;
  preDeployChecks: HealthChecks;
  secrets: Secret[];
}

/** Where the closure is copied from: the local store, or the directory of an archive that contains all of it. */
export type ClosureSource = { from: 'store' } | { from: 'archive'; directory: string };

/** The settings of the deploy stage. */
export interface DeployConfig {
  mode: Mode;
  /** The text of a private key; null: the user's own agent and keys are used. */
  deployKey: string | null;
  /** The text of a known_hosts file: the only host keys that are trusted. */
  knownHosts: string | null;
  /** Hosts at the same time, at least 1. */
  parallel: number;
  /** Hosts that go first and must all succeed before the others start; `part` is from 0 to 1. Null: none. */
  canary: { hosts: number } | { part: number } | null;
  /** After more failed hosts than this, no further host is started. Null: no limit. */
  maxFailures: number | null;
  /** Seconds within which a target must be reachable again after the connection was lost. */
  confirmTimeout: number;
  /** Seconds that all health checks of a host may take together. */
  healthTimeout: number;
  /** Who deploys, for the journal and the lock of the target, as "owner/repo run 12 by someone". */
  who: string;
  /** Address of the workflow run that deploys, for the record on the target; null outside of one. */
  run: string | null;
}
