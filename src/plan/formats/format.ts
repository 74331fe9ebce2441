import type { Adapter } from '../evaluation/adapter.ts';
import type { Source } from '../source.ts';

/** One way to write a fleet: how it is detected, what it accepts and how it is evaluated. `index.ts` lists all formats. */
export interface FormatDefinition {
  /** Usual names of the file that a source of this format starts from, the preferred name first. A flake needs none. */
  mainFiles: readonly string[];
  /** Outputs of a flake by which it is detected; without any, a flake cannot be of this format. */
  flakeOutputs?: readonly string[];
  /** True if sources of other formats often look like this one too: it is chosen only if no other format matches. */
  generic?: boolean;
  /** Finds the main files in a folder, relative to it, if `existsSync` of `mainFiles` is not enough. */
  find?(folder: string): string[];
  /**
   * Looks at the contents of a file for signs of this format, in the words of the file (`network.pkgs`).
   *
   * @returns null if the file cannot be of this format, an empty list if it can be but does not show it.
   */
  signs?(file: FileOutline): readonly string[] | null;
  /** True if `source` may name several files of this format. */
  severalFiles?: boolean;
  /** True if the input `attribute` says where in the file the hosts are. */
  attribute?: boolean;
  /** True if the input `arguments` is passed to its functions. */
  arguments?: boolean;
  /** Whether a pin of nixpkgs next to the source is used as <nixpkgs>: never (default), if there is one, or always. */
  pinNearby?: 'optional' | 'required';
  /** @param main relative to the source's folder. @throws UserError if the source is not of this format. */
  adapter(main: string, source: Source): Adapter | Promise<Adapter>;
  /** The tags by which the source orders its hosts. @param notes `notes` of the adapter. */
  tagOrder?(notes: Notes): string[];
  /** A sentence about settings of a host that the plan does not use; null if there are none. */
  leftOut?(host: string, notes: Notes): string | null;
  /** What the source defines besides the hosts `names` and the plan leaves out, as a sentence; null: nothing. */
  notHosts?(names: readonly string[], notes: Notes): string | null;
}

/** What an adapter reports besides the names of the hosts. */
export type Notes = Readonly<Record<string, unknown>>;

/** An outline of a Nix file whose format is not known yet. */
export interface FileOutline {
  /** Name of the file without its folder. */
  name: string;
  /** True if it evaluates to a function; its attributes are not known then. */
  isFunction: boolean;
  /** Names of its attributes. */
  attributes: readonly string[];
  /** Names in its attribute `network`. */
  network: readonly string[];
}

/** Whether a file is a network of morph or NixOps. A function may be anything, so its file's name decides. */
export function isNetwork({ name, isFunction, attributes }: FileOutline): boolean {
  return isFunction ? /^(?:network|nixops)/.test(name) : attributes.includes('network');
}
