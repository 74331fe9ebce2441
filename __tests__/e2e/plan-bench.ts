import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../src/context.ts';
import { type Exec, exec } from '../../src/exec.ts';
import { Nix } from '../../src/nix/index.ts';
import type { PlanConfig } from '../../src/plan/index.ts';
import { repository, root } from './testbed/machine.ts';
import type { NixVersion } from './testbed/runner.ts';

/** Git repositories to plan, real Nix of one version with the bench's own /nix, and a miniature nixpkgs that is fetched. */
export class PlanBench {
  readonly scratch: string;
  readonly nix: Nix;
  readonly logged: string[] = [];
  /** The miniature with its busybox, in the store, and its NAR hash in both spellings. */
  readonly miniature: { path: string; sri: string; base32: string };
  readonly context: Context;

  private constructor(
    scratch: string,
    nix: Nix,
    miniature: PlanBench['miniature'],
    logged: string[],
    context: Context,
  ) {
    this.scratch = scratch;
    this.nix = nix;
    this.miniature = miniature;
    this.logged = logged;
    this.context = context;
  }

  static async create(version: NixVersion): Promise<PlanBench> {
    // Where the testbed's Nix looks for its libraries.
    const installed = `/opt/nix/${version}`;
    await mkdir('/opt/nix', { recursive: true });
    if (!existsSync(installed)) await symlink(root(`nix-${version}`), installed);
    const bin = join(installed, 'bin');
    const said = (await exec(join(bin, 'nix'), ['--version'])).stdout.trim().split(' ').at(-1) ?? '';
    const nix = new Nix(exec, {
      bin,
      version: said,
      env: {
        NIX_CONFIG:
          'build-users-group =\nsandbox = false\nsubstituters =\ndownload-attempts = 1\nextra-platforms = aarch64-linux',
      },
    });
    const scratch = await mkdtemp(join(tmpdir(), 'plan-test-'));

    // What `fetchTarball` and a flake's input would bring: the tree in the store, under the name they give it.
    const tree = join(scratch, 'source');
    await cp(join(repository, 'examples/embedded/nixpkgs'), tree, { recursive: true });
    await exec(join(repository, 'examples/embedded/fetch-bootstrap.sh'), [join(tree, 'bootstrap')]);
    const path = (await nix.run('nix-store', ['--add-fixed', '--recursive', 'sha256', tree])).stdout.trim();
    const sri = (await nix.run('nix', ['hash', 'path', path])).stdout.trim();
    const base32 = (await nix.run('nix-hash', ['--type', 'sha256', '--to-base32', sri])).stdout.trim();

    const logged: string[] = [];
    const log = (message: string): void => void logged.push(message);
    const context: Context = {
      exec,
      log: { debug: () => undefined, info: log, notice: log, warning: log, error: log, secret: log },
      progress: ({ host, state }) => log(`${host} ${state}`),
      signal: new AbortController().signal,
      scratch: join(scratch, 'run'),
    };
    await mkdir(context.scratch);
    return new PlanBench(scratch, nix, { path, sri, base32 }, logged, context);
  }

  /** The bench's Nix, and the command lines of its evaluations. */
  watched(): { nix: Nix; evaluations: string[][] } {
    const evaluations: string[][] = [];
    const watched: Exec = (command, args, options) => {
      if (/\/nix-instantiate$/.test(command) || args[0] === 'eval') evaluations.push([command, ...args]);
      return exec(command, args, options);
    };
    return { nix: new Nix(watched, this.nix.installation), evaluations };
  }

  remove(): Promise<void> {
    return rm(this.scratch, { recursive: true });
  }

  config(source: string, rest: Partial<PlanConfig> = {}): PlanConfig {
    return {
      source,
      format: 'auto',
      attribute: null,
      hosts: [],
      targets: {},
      nixpkgs: null,
      nixpkgsPin: 'error',
      system: null,
      planCache: null,
      ...rest,
    };
  }

  /** A Git repository with these files, committed. */
  async repository(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.scratch, name);
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    await this.commit(folder);
    return folder;
  }

  async commit(folder: string): Promise<void> {
    const git = (...args: string[]) =>
      exec('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
    await git('init', '-q', '-b', 'main');
    await git('add', '-A');
    await git('commit', '-q', '--allow-empty', '-m', 'fleet');
  }

  /**
   * An example as a user has it, with one difference: it pins the miniature, because nixpkgs cannot be fetched here. The
   * hash replaces that of nixpkgs, so that the store already has what would be downloaded.
   */
  async example(format: string): Promise<string> {
    const folder = join(this.scratch, `example-${format}`);
    await cp(join(repository, 'examples', format), folder, { recursive: true });
    const pin = join(folder, 'nixpkgs.nix');
    if (existsSync(pin)) {
      const text = await readFile(pin, 'utf8');
      await writeFile(pin, text.replace(/sha256 = "[^"]*"/, `sha256 = "${this.miniature.base32}"`));
    }
    const lockFile = join(folder, 'flake.lock');
    if (existsSync(lockFile)) {
      const lock = JSON.parse(await readFile(lockFile, 'utf8')) as { nodes: Record<string, { locked?: object }> };
      const node = lock.nodes.nixpkgs;
      if (node !== undefined) node.locked = { type: 'path', path: this.miniature.path, narHash: this.miniature.sri };
      await writeFile(lockFile, JSON.stringify(lock, null, 2));
      if (lock.nodes['deploy-rs'] !== undefined) await this.replaceDeployRs(folder);
    }
    await this.commit(folder);
    return folder;
  }

  /** Replaces deploy-rs' flake by one that makes packages of the same form: its own needs a Rust compiler. */
  private async replaceDeployRs(folder: string): Promise<void> {
    const tree = join(this.scratch, 'deploy-rs');
    await mkdir(tree, { recursive: true });
    await cp(join(repository, '__tests__/e2e/plan-deploy-rs.nix'), join(tree, 'flake.nix'));
    const path = (await this.nix.run('nix-store', ['--add-fixed', '--recursive', 'sha256', tree])).stdout.trim();
    const narHash = (await this.nix.run('nix', ['hash', 'path', path])).stdout.trim();
    const lockFile = join(folder, 'flake.lock');
    const lock = JSON.parse(await readFile(lockFile, 'utf8')) as {
      nodes: Record<string, { inputs?: object; locked?: object; original?: object }>;
    };
    lock.nodes['deploy-rs'] = {
      ...lock.nodes['deploy-rs'],
      inputs: { nixpkgs: ['nixpkgs'] },
      locked: { type: 'path', path, narHash },
    };
    for (const gone of ['flake-compat', 'systems', 'utils']) delete lock.nodes[gone];
    await writeFile(lockFile, JSON.stringify(lock, null, 2));
  }
}
