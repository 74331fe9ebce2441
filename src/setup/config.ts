import type { CachePort } from '../context.ts';
import type { Patience } from './download.ts';
import type { SetupInputs } from './inputs.ts';

/** What the set-up stage is asked for: its inputs, and what only the entry knows. */
export interface SetupConfig extends SetupInputs, SetupSurroundings {}

/** What the entry knows of the machine that it runs on. */
export interface SetupSurroundings {
  /** `own`: always start a daemon of this run; `any`: use the machine's own Nix if it is suitable as it is. */
  daemon: 'own' | 'any';
  /** The environment of the entry: PATH, HOME, proxies, certificates and SSH_AUTH_SOCK are read from it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** How long to wait for servers; defaults to `patience` in download.ts. */
  patience?: Patience;
}

/** What only the entry has. */
export interface SetupPorts {
  /** Keeps a line for `teardown`, at once: the action's state, on the command line a file in the scratch directory. */
  saveState(key: string, value: string): void;
  /** Makes Nix known to the job's later steps; absent where there are none. */
  publish?: {
    addPath(directory: string): void;
    exportVariable(name: string, value: string): void;
    setOutput(name: 'nix-version-installed', value: string): void;
  };
  /** The Actions cache; absent where there is none. */
  cache?: CachePort;
}

/** The key of `SetupPorts.saveState` under which the set-up keeps what `teardown` needs. */
export const stateKey = 'setup';

/** Where one run keeps its files; all else follows from it. It is what `teardown` is given. */
export interface Run {
  /** `/run/nix-ferry-<id>` or alike: in memory where the machine has a place in memory. */
  directory: string;
}
