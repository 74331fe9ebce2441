import type { HealthChecks, Secret, Target } from '../plan/fleet.ts';
import type { Mode } from './outcome.ts';

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

/** How the deploy stage goes about it. */
export interface DeployConfig {
  mode: Mode;
  /** The private key's text; null: the user's own agent and keys serve. */
  deployKey: string | null;
  /** The text of a known_hosts file: the only host keys that are believed. */
  knownHosts: string | null;
  /** Hosts at once, at least 1. */
  parallel: number;
  /** Hosts that go first, all of which must succeed before the others start; `part` is from 0 to 1. Null: none. */
  canary: { hosts: number } | { part: number } | null;
  /** When more hosts than this have failed, no further one is started. Null: all are tried. */
  maxFailures: number | null;
  /** Seconds a target has to be reached again after a cut connection. */
  confirmTimeout: number;
  /** Seconds all health checks of a host may take together. */
  healthTimeout: number;
  /** Who deploys, for the target's journal and lock, as "owner/repo run 12 by someone". */
  who: string;
  /** Address of the run that deploys, for the record on the target; null outside of one. */
  run: string | null;
}
