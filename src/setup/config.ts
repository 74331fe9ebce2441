import type { CachePort } from '../context.ts';
import type { Patience } from './download.ts';

/** What the set-up stage is asked for: plain data, made by the entry from its inputs. */
export interface SetupConfig {
  /** Null: any Nix found, else the pinned release. `2.34.4`, `2.34.4@sha256:…`, or `system`: only what is there. */
  nixVersion: string | null;
  /** A URL prefix with the layout of the official releases, or a local release tarball; null: the official releases. */
  nixSource: string | null;
  /** `own`: a daemon of this run, always; `any`: none, where the machine's Nix serves as it is, as people expect on theirs. */
  daemon: 'own' | 'any';
  /** Further lines for nix.conf, checked. */
  nixConf: string;
  emulate: 'auto' | 'never' | 'always';
  /** A static qemu to use instead of the distribution's: path or URL, with its hash. */
  qemu?: { source: string; sha256: string } | null;
  /** Remote builders, in Nix's machines format or as YAML. */
  builders: string | null;
  cache: 'auto' | 'never';
  githubToken: string | null;
  /** Private key in Nix's form that signs what goes into the store cache; without it nothing is saved. */
  signingKey?: string | null;
  /** The environment the entry runs in: PATH, HOME, proxies, certificates, SSH_AUTH_SOCK are taken from it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** How long servers are waited for; the usual where left out. */
  patience?: Patience;
}

/** What only the entry can provide. */
export interface SetupPorts {
  /** Saves a line for `teardown`, at once: in the action's state, or on the command line in the scratch directory. */
  saveState(key: string, value: string): void;
  /** Makes Nix available to later steps of the job; absent if there are none. */
  publish?: {
    addPath(directory: string): void;
    exportVariable(name: string, value: string): void;
  };
  /** The Actions cache; absent if there is none. */
  cache?: CachePort;
}

/** The key of `SetupPorts.saveState` for what `teardown` needs. */
export const stateKey = 'setup';

/** Where a run keeps its files, from which everything else follows. `teardown` gets it. */
export interface Run {
  /** `/run/nix-ferry-<id>` or a similar path, in memory if possible. */
  directory: string;
}
