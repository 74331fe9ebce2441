import type { PathInfo } from '../nix/index.ts';
import type { Host } from '../plan/fleet.ts';

/** What the build stage hands on for each host. */
export type Built =
  | {
      host: Host;
      ok: true;
      /** The realised toplevel: equal to `host.toplevel.outPath`. */
      toplevel: string;
      /** Sum of the NAR sizes of the closure, in bytes. */
      closureBytes: number;
      /** Every store path of the closure; hosts that share a path share its entry. */
      closure: PathInfo[];
      /** How many derivations had to be built here for this host; 0 when all was there or substituted. */
      builtDerivations: number;
    }
  | { host: Host; ok: false; failure: BuildFailure };

export interface BuildFailure {
  /** One sentence: what it means and what to do. */
  message: string;
  /** The derivation that failed first; null when none was reached. */
  drvPath: string | null;
  /** Its last log lines, at most 16 KiB. */
  log: string;
}
