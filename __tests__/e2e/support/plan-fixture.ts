import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/context.ts';
import { type Exec, exec } from '../../../src/exec.ts';
import { readInputs } from '../../../src/inputs.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { installedNix } from './installed-nix.ts';
import { repository } from './machine.ts';
import type { NixVersion } from './runner.ts';

export interface WatchedPlans {
  run(folder: string, rest?: Partial<PlanConfig>): Promise<Fleet>;
  evaluations: string[][];
}

/** Git repositories to plan, real Nix of one version, and a miniature nixpkgs that is fetched from the store. */
export class PlanFixture {
  readonly scratch: string;
  readonly nix: Nix;
  readonly logged: string[] = [];
  /** The miniature with its busybox, in the store, and its NAR hash in two encodings. */
  readonly miniature: { path: string; sri: string; base32: string };
  readonly context: Context;
  #paths = 0;

  private constructor(
    scratch: string,
    nix: Nix,
    miniature: PlanFixture['miniature'],
    logged: string[],
    context: Context,
  ) {
    this.scratch = scratch;
    this.nix = nix;
    this.miniature = miniature;
    this.logged = logged;
    this.context = context;
  }

  static async create(version: NixVersion): Promise<PlanFixture> {
    const nix = new Nix(
      { exec, environment: process.env },
      {
        ...(await installedNix(version)),
        env: {
          NIX_CONFIG:
            'build-users-group =\nsandbox = false\nsubstituters =\ndownload-attempts = 1\nextra-platforms = aarch64-linux',
        },
      },
    );
    const scratch = await mkdtemp(join(tmpdir(), 'plan-test-'));

    // The tree in the store under the name that `fetchTarball` and a flake's input use.
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
      query: exec,
      log: { debug: () => undefined, info: log, notice: log, warning: log, error: log, secret: log },
      progress: event => void ('host' in event && log(`${event.host} ${event.state}`)),
      signal: new AbortController().signal,
      scratch: join(scratch, 'run'),
      environment: process.env,
    };
    await mkdir(context.scratch);
    return new PlanFixture(scratch, nix, { path, sri, base32 }, logged, context);
  }

  /** Plans with the same Nix and records the command lines of the last plan's evaluations. */
  watched(): WatchedPlans {
    const evaluations: string[][] = [];
    const watched: Exec = (command, args, options) => {
      if (/\/nix-instantiate$/.test(command) || args[0] === 'eval') evaluations.push([command, ...args]);
      return exec(command, args, options);
    };
    const nix = new Nix({ exec: watched, environment: process.env }, this.nix.installation);
    const run: WatchedPlans['run'] = async (folder, rest = {}) => {
      evaluations.length = 0;
      return plan(this.config(folder, rest), nix, this.context);
    };
    return { run, evaluations };
  }

  remove(): Promise<void> {
    return rm(this.scratch, { recursive: true });
  }

  config(source: string, rest: Partial<PlanConfig> = {}): PlanConfig {
    return {
      ...readInputs({}, name => name).plan,
      source,
      files: [],
      nixPath: null,
      planCache: null,
      ...rest,
    };
  }

  /** A path in `scratch` that does not exist and is not returned again. */
  newPath(name: string): string {
    return join(this.scratch, `${name}-${this.#paths++}`);
  }

  /** A Git repository with these files, committed. */
  async repository(files: Readonly<Record<string, string>>, name = 'repository'): Promise<string> {
    const folder = this.newPath(name);
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
   * A copy of an example that pins the miniature, since nixpkgs cannot be fetched here. Only the hash is replaced: the store
   * already has the path that would be downloaded.
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

  /** Replaces deploy-rs' flake, which needs a Rust compiler, by one that makes packages of the same form. */
  private async replaceDeployRs(folder: string): Promise<void> {
    const tree = join(this.scratch, 'deploy-rs');
    await mkdir(tree, { recursive: true });
    await cp(join(repository, '__tests__/e2e/support/fixtures/deploy-rs.nix'), join(tree, 'flake.nix'));
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
