import type { CachePort } from '../context.ts';
import type { Patience } from './download.ts';
import type { SetupInputs } from './inputs.ts';

/** What the set-up stage is asked for: its inputs, what only the entry knows, and what follows. */
export interface SetupConfig extends SetupInputs, SetupSurroundings {
  /** False: hosts are only evaluated. The sandbox is set all the same, but nothing has to prove that it works. */
  builds: boolean;
}

/** What the entry knows of the machine that it runs on. */
export interface SetupSurroundings {
  /** `own`: always start a daemon of this run; `any`: use the machine's own Nix if it is suitable as it is. */
  daemon: 'own' | 'any';
  /** The environment of the entry: PATH, HOME, proxies, certificates and SSH_AUTH_SOCK are read from it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** How long to wait for servers; defaults to `patience` in download.ts. */
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
    setOutput(name: 'nix-version-installed', value: string): void;
  };
  /** The Actions cache; absent if there is none. */
  cache?: CachePort;
}

/** The key of `SetupPorts.saveState` for what `teardown` needs. */
export const stateKey = 'setup';

/** Where a run keeps its files, from which everything else follows. `teardown` gets it. */
export interface SetupRun {
  /** `/run/nix-ferry-<id>` or a similar path, in memory if possible. */
  directory: string;
}
