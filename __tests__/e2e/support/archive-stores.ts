import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/context.ts';
import { type Exec, exec } from '../../../src/exec.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { HostNix } from '../../../src/plan/fleet.ts';
import { type BuiltHost, builtHost } from './built-host.ts';
import { installedNix } from './installed-nix.ts';
import type { NixVersion } from './runner.ts';

/**
 * Real Nix of one version with its own stores below a temporary directory. Their closures are made by `builtins.toFile`: the
 * paths refer to each other like real ones and need no builder.
 */
export class Stores {
  readonly scratch: string;
  readonly context: Context;
  /** Log messages and progress texts. */
  readonly logged: string[] = [];
  /** Each command that was run, with its arguments and environment, as JSON. */
  readonly commands: string[] = [];
  readonly #bin: string;
  readonly #version: string;

  private constructor(scratch: string, bin: string, version: string) {
    this.scratch = scratch;
    this.#bin = bin;
    this.#version = version;
    const log = (message: string): void => void this.logged.push(message);
    this.context = {
      exec: this.#exec,
      query: this.#exec,
      log: { debug: log, info: log, notice: log, warning: log, error: log, secret: () => undefined },
      progress: event => void ('host' in event && log(event.text)),
      signal: new AbortController().signal,
      scratch,
      environment: process.env,
    };
  }

  readonly #exec: Exec = (command, args, options) => {
    this.commands.push(JSON.stringify([command, args, options?.env]));
    return exec(command, args, options);
  };

  static async create(version: NixVersion): Promise<Stores> {
    const installed = await installedNix(version);
    return new Stores(await mkdtemp(join(tmpdir(), 'archive-test-')), installed.bin, installed.version);
  }

  async remove(): Promise<void> {
    await exec('chmod', ['-R', 'u+w', this.scratch]);
    await rm(this.scratch, { recursive: true });
  }

  /** A new key in Nix's form. */
  async newKey(name: string): Promise<{ secret: string; public: string }> {
    const nix = await this.newStore();
    const secret = (await nix.run('nix', ['key', 'generate-secret', '--key-name', name])).stdout.trim();
    const converted = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secret });
    return { secret, public: converted.stdout.trim() };
  }

  /** A new, empty store. */
  async newStore(): Promise<Nix> {
    const directory = await mkdtemp(join(this.scratch, 'store-'));
    await mkdir(join(directory, 'nix/store'), { recursive: true });
    const env = { NIX_REMOTE: `local?root=${directory}`, NIX_CONFIG: 'build-users-group =' };
    return new Nix(this.context, { bin: this.#bin, version: this.#version, env });
  }

  /** A host whose closure is a system, its configuration, and 40 packages and a library that all hosts share. */
  async build(nix: Nix, host: string, text = 'as it was', hostNix: HostNix | null = null): Promise<BuiltHost> {
    const file = join(this.scratch, 'closure.nix');
    await writeFile(
      file,
      `{ host, text }: let
        libc = builtins.toFile "libc" "no references";
        package = n: builtins.toFile "package-\${toString n}" "\${libc} \${toString n}";
        packages = map package (builtins.genList (n: n) 40);
        configuration = builtins.toFile "configuration-\${host}" text;
      in builtins.toFile "nixos-system-\${host}" (toString (packages ++ [ configuration ]))`,
    );
    const args = ['--eval', '--read-write-mode', '--json', file, '--argstr', 'host', host, '--argstr', 'text', text];
    const drafts = await this.newStore();
    const toplevel = JSON.parse((await drafts.run('nix-instantiate', args)).stdout) as string;
    // These files are content-addressed, so Nix requires no signature. The registration that nix-store dumps omits this:
    // loaded into another store, they are like built paths.
    const { stdout: registration } = await drafts.run('nix-store', ['--dump-db']);
    await exec('cp', ['-a', '-n', join(rootOf(drafts), 'nix/store'), join(rootOf(nix), 'nix')]);
    await nix.run('nix-store', ['--load-db'], { input: registration });
    return builtHost(nix, { name: host, system: 'x86_64-linux', toplevel, nix: hostNix });
  }
}

/** The directory of a store. */
export function rootOf(nix: Nix): string {
  return nix.installation.env.NIX_REMOTE?.split('=')[1] as string;
}
