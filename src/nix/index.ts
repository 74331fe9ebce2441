import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { ExecOptions, ExecResult } from '../exec.ts';
import { inParts } from './arguments.ts';

/** Where Nix is and how it is called: plain data, from the setup stage. */
export interface NixInstallation {
  /** The directory with `nix`, `nix-store`, …; null: they are on PATH. */
  bin: string | null;
  /** From `nix --version`, such as `2.26.3`. */
  version: string;
  /** Added to the environment of every call (NIX_CONFIG, NIX_SSHOPTS, …). Never contains a secret. */
  env: Record<string, string>;
}

/** One valid path of a store, from `nix path-info --json`. */
export interface PathInfo {
  path: string;
  /** SRI form, `sha256-…`. */
  narHash: string;
  /** Bytes. */
  narSize: number;
  references: string[];
  /** In Nix's form `key-name:base64`. */
  signatures: string[];
  /** True if it was built here, not fetched. */
  ultimate: boolean;
}

/**
 * Calls Nix's commands. Every stage uses it, and none depends on the version of Nix.
 *
 * Works with Nix 2.8 and newer. Evaluation sees neither NIX_PATH nor a user's nix.conf.
 */
export class Nix {
  readonly installation: NixInstallation;
  readonly #context: Pick<Context, 'exec' | 'environment'>;

  constructor(context: Pick<Context, 'exec' | 'environment'>, installation: NixInstallation) {
    this.#context = context;
    this.installation = installation;
  }

  /** Runs one of Nix's programs with the experimental commands enabled. @throws CommandError */
  run(program: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const command = this.installation.bin === null ? program : join(this.installation.bin, program);
    const experimental = ['--extra-experimental-features', 'nix-command flakes'];
    return this.#context.exec(command, [...args, ...experimental], { ...options, env: this.environment(options.env) });
  }

  /** The environment of Nix's commands: that of the run, without what makes evaluation depend on the machine. */
  environment(env: ExecOptions['env'] = this.#context.environment): Record<string, string | undefined> {
    return {
      ...env,
      ...this.installation.env,
      NIX_PATH: '',
      NIX_USER_CONF_FILES: '/dev/null',
      NIXPKGS_CONFIG: undefined,
      NIXPKGS_ALLOW_UNFREE: undefined,
      NIXPKGS_ALLOW_BROKEN: undefined,
      NIXPKGS_ALLOW_INSECURE: undefined,
    };
  }

  /** The store of this machine, for the few commands that need its name: `auto` would not be the daemon of the run. */
  get store(): string {
    return this.environment().NIX_REMOTE || 'auto';
  }

  /** The closure of `paths`, each path once. @throws CommandError if one of them is not valid */
  async closure(paths: readonly string[], store?: string): Promise<PathInfo[]> {
    const from = store === undefined ? [] : ['--store', store];
    const { stdout } = await this.run('nix', ['path-info', '--json', '--recursive', ...from, ...paths]);
    return parsePathInfo(stdout);
  }

  /** Which of `paths` are valid in the local store. */
  async valid(paths: readonly string[]): Promise<Set<string>> {
    const valid = new Set(paths);
    for (const some of inParts(paths)) {
      const { stdout } = await this.run('nix-store', ['--check-validity', '--print-invalid', ...some]);
      for (const invalid of stdout.split('\n')) valid.delete(invalid);
    }
    return valid;
  }

  /** The number of processors that this process may use. */
  get processors(): number {
    return availableParallelism();
  }
}

/** Reads both forms of `nix path-info --json`: a list (up to 2.18) and an object keyed by path (2.19 and newer). */
export function parsePathInfo(json: string): PathInfo[] {
  const parsed: unknown = JSON.parse(json);
  const entries: [string, RawPathInfo | null][] = Array.isArray(parsed)
    ? (parsed as (RawPathInfo & { path: string })[]).map(info => [info.path, info])
    : Object.entries(parsed as Record<string, RawPathInfo | null>);
  return entries
    .filter((entry): entry is [string, RawPathInfo] => entry[1] !== null && entry[1].valid !== false)
    .map(([path, info]) => ({
      path,
      narHash: info.narHash,
      narSize: info.narSize,
      references: info.references ?? [],
      signatures: info.signatures ?? [],
      ultimate: info.ultimate ?? false,
    }));
}

interface RawPathInfo {
  valid?: boolean;
  narHash: string;
  narSize: number;
  references?: string[];
  signatures?: string[];
  ultimate?: boolean;
}
