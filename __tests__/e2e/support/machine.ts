import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError } from '../../../src/errors.ts';
import { type Exec, type ExecOptions, type ExecResult, exec } from '../../../src/exec.ts';
import { connect, type Link } from './link.ts';

/** The checkout, `/repository` in the testbed and in every machine that can read it. */
export const repository = join(import.meta.dirname, '../../..');

/** scripts/test.sh mounts each root there, by its name. */
const testbed = process.env.FERRY_TESTBED ?? '';

const namespaces = join(repository, 'scripts/testbed-namespaces.sh');
const machineScript = join(import.meta.dirname, 'machine.sh');
const upMilliseconds = 120_000;

/** The path of a root, or of `qemu-aarch64`, by name. @throws outside the testbed. */
export function root(name: string): string {
  if (testbed === '') throw new Error('This test needs the testbed: run it with `npm test` (scripts/test.sh).');
  return join(testbed, name);
}

export interface MachineOptions {
  /** Host name; also in error messages. */
  name: string;
  /** The name of a cached root. */
  root: string;
  /** The command that becomes PID 1. */
  init: readonly string[];
  /** The environment of PID 1. */
  environment?: Readonly<Record<string, string>>;
  /** Directories or files to mount inside, read-only: source → destination. */
  readOnly?: Readonly<Record<string, string>>;
  /** Directories to mount an empty tmpfs on; root owns them. */
  volatile?: readonly string[];
  /** Files to add to the root before the start: absolute path → content and mode (default 0644). Root owns them. */
  files?: Readonly<Record<string, { content: string; mode?: number }>>;
  /** What it writes survives a power cut: `powerOn` starts it again from there. */
  disk?: boolean;
  /** Gives it its own cgroup, which systemd needs. */
  cgroup?: boolean;
  /** `empty`: a binfmt_misc without entries; `aarch64`: with qemu registered. Without it none is mounted. */
  binfmt?: 'empty' | 'aarch64';
  /** Its IPv4 address; by default a free one. */
  address?: string;
}

export interface RunOptions extends ExecOptions {
  /** The user who runs it; default root. */
  user?: string;
}

/**
 * A machine: namespaces with their own root, PID 1, users, mounts, network and binfmt_misc. It ends with `stop()`, or with the
 * process that started it. What it writes is in memory and lost at its end.
 */
export class Machine {
  readonly name: string;
  readonly #options: MachineOptions;
  /** Where its root is mounted. */
  readonly #scratch: string;
  readonly #console: string[] = [];
  #running: { child: ChildProcess; pid: number; link: Link } | undefined;
  #address: string | undefined;
  #stopped = false;

  private constructor(options: MachineOptions) {
    this.name = options.name;
    this.#options = options;
    this.#address = options.address;
    this.#scratch = mkdtempSync(join(tmpdir(), `machine-${options.name}-`));
    mkdirSync(join(this.#scratch, 'mount'));
    mkdirSync(join(this.#scratch, 'disk'));
  }

  get address(): string {
    return this.#address ?? '';
  }

  /** Its PID 1, as this process sees it. @throws while its power is off. */
  get pid(): number {
    return this.#on.pid;
  }

  get #on(): { child: ChildProcess; pid: number; link: Link } {
    if (this.#running === undefined) throw new Error(`Machine ${this.name} is off`);
    return this.#running;
  }

  /** @throws when it is not up within two minutes, with what it printed. */
  static async start(options: MachineOptions): Promise<Machine> {
    const machine = new Machine(options);
    // In this process's mounts, so that it outlives the machine's.
    if (options.disk) await exec('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=75%', 'disk', machine.#disk]);
    const files = mkdtempSync(join(tmpdir(), `files-${options.name}-`));
    // The machine's root gets the mode of this directory.
    chmodSync(files, 0o755);
    for (const [path, { content, mode }] of Object.entries(options.files ?? {})) {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      writeFileSync(join(files, path), content, { mode: mode ?? 0o644 });
    }
    try {
      await machine.#boot([`--copy=${files}`]);
    } finally {
      rmSync(files, { recursive: true });
    }
    return machine;
  }

  get #disk(): string {
    return join(this.#scratch, 'disk');
  }

  async #boot(more: readonly string[]): Promise<void> {
    const options = this.#options;
    const args = [
      `--root=${root(options.root)}`,
      `--scratch=${join(this.#scratch, 'mount')}`,
      `--name=${options.name}`,
      ...(options.disk ? [`--disk=${this.#disk}`] : []),
      ...more,
      ...Object.entries(options.readOnly ?? {}).map(([from, to]) => `--bind-read-only=${from}:${to}`),
      ...(options.volatile ?? []).map(path => `--volatile=${path}`),
      ...(options.cgroup ? [`--cgroup=/sys/fs/cgroup/${options.name}-${randomUUID()}`] : []),
      ...(options.binfmt === 'empty' ? ['--binfmt'] : []),
      ...(options.binfmt === 'aarch64' ? [`--emulate=${root('qemu-aarch64')}`] : []),
      ...Object.entries(options.environment ?? {}).map(([name, value]) => `--environment=${name}=${value}`),
    ];
    const isolated = [namespaces, '-m', '-p', '-n', '-i', '-u', '-C', machineScript, ...args, '--', ...options.init];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...isolated], { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      await up(child, options.name, this.#console);
      const pid = initOf(child.pid ?? 0);
      const link = await connect(pid, this.#address);
      this.#address = link.address;
      this.#running = { child, pid, link };
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    child.once('close', code => {
      if (this.#running?.child === child) this.#running = undefined;
      // It ended itself, as `systemctl reboot` does, and a disk is there to start from.
      if (code === rebooted && options.disk && !this.#stopped) {
        this.powerOn().catch(error => this.#console.push(`${error}\n`));
      }
    });
  }

  /**
   * Runs a program inside, without a shell and with nothing of this process's environment.
   *
   * @throws CommandError when its exit code is not in `allow`.
   */
  run(argv: readonly string[], options: RunOptions = {}): Promise<ExecResult> {
    // A path inside the machine; `enter` changes to it.
    const { cwd: _cwd, user: _user, ...passed } = options;
    return exec('nsenter', this.enter(argv, options), { ...passed, env: { PATH: process.env.PATH } }).catch(error => {
      // For the reader of a failed test: the command without nsenter, and all of its error output.
      if (error instanceof CommandError) {
        error.message = `${this.name}: ${argv.join(' ')} exited with ${error.code ?? JSON.stringify(error.failure)}:\n${error.stderr}`;
      }
      throw error;
    });
  }

  /** The arguments of nsenter that `run` uses, for callers that need the child process. */
  enter(argv: readonly string[], options: RunOptions = {}): string[] {
    const user = options.user ?? 'root';
    const home = user === 'root' ? '/root' : `/home/${user}`;
    const env: Record<string, string | undefined> = {
      PATH: standardPath,
      HOME: home,
      USER: user,
      LANG: 'C.UTF-8',
      ...options.env,
    };
    const settings = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
    const directory = options.cwd === undefined ? [] : [`--chdir=${options.cwd}`];
    const become = user === 'root' ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'];
    const spaces = ['-U', '-m', '-p', '-n', '-i', '-u', '-C', '-S', '0', '-G', '0'];
    return ['-t', String(this.pid), ...spaces, ...become, 'env', '-i', ...directory, ...settings, ...argv];
  }

  /** An Exec (src/exec.ts) that runs commands in this machine, for tests of one stage. */
  exec(user?: string): Exec {
    return (command, args, options = {}) =>
      this.run([command, ...args], user === undefined ? options : { ...options, user });
  }

  /** A path of the machine, for this process to read and write. Absolute symbolic links do not resolve inside the machine. */
  path(inside: string): string {
    return join(`/proc/${this.pid}/root`, inside);
  }

  /** The output of PID 1 so far. */
  console(): string {
    return this.#console.join('');
  }

  /** Drops all traffic from now on, as when a cable is pulled: connections hang. */
  cutLink(): Promise<void> {
    return this.#on.link.cut();
  }

  restoreLink(): Promise<void> {
    return this.#on.link.restore();
  }

  /**
   * Ends all its processes at once. Everything that they wrote is on its disk, synced or not: data that was not synced is
   * never lost here.
   */
  async powerCut(): Promise<void> {
    const { child, pid } = this.#on;
    const gone = new Promise(resolve => child.once('close', resolve));
    process.kill(pid, 'SIGKILL');
    await gone;
  }

  /**
   * Starts it from its disk, according to its boot loader's files (firmware.sh), at the same address, with empty /run and
   * /tmp and a new boot id. Resolves when PID 1 runs.
   *
   * @throws if there is nothing to boot, with the firmware's message.
   */
  async powerOn(): Promise<void> {
    if (!this.#options.disk) throw new Error(`Machine ${this.name} has no disk to start from`);
    if (this.#running !== undefined) throw new Error(`Machine ${this.name} is on`);
    await this.#boot([]);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#running !== undefined) await this.powerCut();
    if (this.#options.disk) await exec('umount', ['--lazy', this.#disk]);
  }
}

/** How the parent of a PID namespace ends when its PID 1 asked for a reboot: by SIGHUP (reboot(2)), as a shell reports it. */
const rebooted = 128 + 1;

export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function up(child: ChildProcess, name: string, console: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`Machine ${name} ${why}:\n${console.join('').slice(-4096)}`));
    const timer = setTimeout(() => fail('was not up in time'), upMilliseconds);
    const listen = (chunk: Buffer): void => {
      console.push(chunk.toString());
      if (console.length > 10_000) console.splice(0, 5_000);
      if (chunk.includes(`machine: ${name} is up`)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('close', () => {
      clearTimeout(timer);
      fail('ended');
    });
  });
}

/** The descendant of `pid` that is PID 1 of a nested pid namespace; 0 if there is none. */
function initOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const own = readFileSync('/proc/self/status', 'utf8');
  const depth = (text: string): string[] => /^NSpid:\s+(.*)$/m.exec(text)?.[1]?.split(/\s+/) ?? [];
  if (depth(status).length > depth(own).length && depth(status).at(-1) === '1') return pid;
  for (const child of childrenOf(pid)) {
    const found = initOf(child);
    if (found !== 0) return found;
  }
  return 0;
}

/** The running child processes of `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter(word => word !== '')
    .map(Number);
}
