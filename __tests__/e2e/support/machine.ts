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
  readonly address: string;
  /** Its PID 1, as this process sees it. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #link: Link;
  readonly #console: string[];

  private constructor(name: string, pid: number, child: ChildProcess, link: Link, console: string[]) {
    this.name = name;
    this.address = link.address;
    this.pid = pid;
    this.#child = child;
    this.#link = link;
    this.#console = console;
  }

  /** @throws when it is not up within two minutes, with what it printed. */
  static async start(options: MachineOptions): Promise<Machine> {
    const scratch = mkdtempSync(join(tmpdir(), `machine-${options.name}-`));
    const files = mkdtempSync(join(tmpdir(), `files-${options.name}-`));
    mkdirSync(join(scratch, 'mount'));
    // The machine's root gets the mode of this directory.
    chmodSync(files, 0o755);
    for (const [path, { content, mode }] of Object.entries(options.files ?? {})) {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      writeFileSync(join(files, path), content, { mode: mode ?? 0o644 });
    }
    const args = [
      `--root=${root(options.root)}`,
      `--scratch=${join(scratch, 'mount')}`,
      `--name=${options.name}`,
      `--copy=${files}`,
      ...Object.entries(options.readOnly ?? {}).map(([from, to]) => `--bind-read-only=${from}:${to}`),
      ...(options.volatile ?? []).map(path => `--volatile=${path}`),
      ...(options.cgroup ? [`--cgroup=/sys/fs/cgroup/${options.name}-${randomUUID()}`] : []),
      ...(options.binfmt === 'empty' ? ['--binfmt'] : []),
      ...(options.binfmt === 'aarch64' ? [`--emulate=${root('qemu-aarch64')}`] : []),
      ...Object.entries(options.environment ?? {}).map(([name, value]) => `--environment=${name}=${value}`),
    ];
    const child = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        namespaces,
        '-m',
        '-p',
        '-n',
        '-i',
        '-u',
        '-C',
        machineScript,
        ...args,
        '--',
        ...options.init,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const console: string[] = [];
    try {
      await up(child, options.name, console);
      const pid = initOf(child.pid ?? 0);
      const link = await connect(pid, options.address);
      return new Machine(options.name, pid, child, link, console);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      rmSync(files, { recursive: true });
    }
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
    return this.#link.cut();
  }

  restoreLink(): Promise<void> {
    return this.#link.restore();
  }

  /** Ends it at once, like a power loss. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise(resolve => this.#child.once('close', resolve));
    process.kill(this.pid, 'SIGKILL');
    await gone;
  }
}

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
