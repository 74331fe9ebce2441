import type { PathInfo } from '../nix/index.ts';
import type { Host } from '../plan/fleet.ts';

/** The result of the build stage for one host. */
export type Built =
  | {
      host: Host;
      ok: true;
      /** The realised toplevel: equal to `host.toplevel.outPath`. */
      toplevel: string;
      /** Sum of the NAR sizes of the closure, in bytes. */
      closureBytes: number;
      /** Every store path of the closure; hosts that share a path share its object. */
      closure: PathInfo[];
      /** How many derivations were built here for this host; 0 if all of it was present or substituted. */
      builtDerivations: number;
    }
  | { host: Host; ok: false; failure: BuildFailure };

export interface BuildFailure {
  /** One sentence: what it means and what to do. */
  message: string;
  /** The derivation that failed first; null if none was reached. */
  drvPath: string | null;
  /** The last lines of its log, at most 16 KiB. */
  log: string;
  /** The hash in the source that has to be corrected, if that is the cause and it was found. */
  place: SourcePlace | null;
}

/** A place in a file of the source. The file is relative to the repository; line and column start at 1. */
export interface SourcePlace {
  file: string;
  line: number;
  column: number;
}
