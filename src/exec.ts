/**
 * Our own way to run programs. @actions/exec, which `Context.query` uses in the action (src/runner.ts), does not give its
 * caller the child process: it cannot cancel it, stop it after a time or write a promise to its input, it drops a last line
 * without a newline from line listeners, and it does not report signals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { CommandError } from './errors.ts';

export interface ExecOptions {
  cwd?: string;
  /** The whole environment of the child; the caller's own where left out. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * Written to the child's standard input, which is closed after it; this is how secrets travel. A promise lets the child
   * begin before it is settled; where it rejects, the input is empty.
   */
  input?: string | Buffer | Promise<string>;
  /** Called with each whole line the child prints on standard error, as it comes. */
  onStderr?: (line: string) => void;
  /** Called with each whole line the child prints on standard output; `stdout` of the result is then empty. */
  onStdout?: (line: string) => void;
  /** Milliseconds until the child gets SIGTERM, and 5 s later SIGKILL. */
  timeout?: number;
  signal?: AbortSignal;
  /** Exit codes that are answers, not errors. 0 where left out. */
  allow?: readonly number[];
}

export interface ExecResult {
  code: number;
  stdout: string;
  /** The last 64 KiB of it. */
  stderr: string;
}

/** The one way out to other programs; injected, so that tests can record or replace it. */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

const keptStderr = 64 * 1024;
const graceMilliseconds = 5_000;

/**
 * Runs a program, without a shell.
 *
 * @throws CommandError when it exits with a code not in `allow`, is killed, or cannot be started.
 */
export const exec: Exec = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env as NodeJS.ProcessEnv | undefined,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const argv = [command, ...args];
    const stdout: Buffer[] = [];
    let stderr = '';
    const stop = (): void => end(child);
    const timer = options.timeout === undefined ? undefined : setTimeout(stop, options.timeout);
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted) stop();

    if (options.onStdout === undefined) child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    else lines(child.stdout, options.onStdout);
    lines(child.stderr, line => {
      stderr = `${stderr}${line}\n`.slice(-keptStderr);
      options.onStderr?.(line);
    });
    // A child that ends before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    if (options.input instanceof Promise) {
      options.input.then(
        input => child.stdin?.end(input),
        () => child.stdin?.end(),
      );
    } else child.stdin?.end(options.input);

    const settle = (code: number | null, signal: string | null): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      if (code !== null && (options.allow ?? [0]).includes(code)) {
        resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr });
      } else {
        reject(new CommandError(argv, code, signal, stderr.slice(-8 * 1024)));
      }
    };
    child.once('error', error => {
      stderr += error.message;
      settle(127, null);
    });
    child.once('close', settle);
  });

function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
}

function lines(stream: NodeJS.ReadableStream | null, each: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) each(line);
  });
  stream?.on('end', () => {
    if (rest !== '') each(rest);
  });
}
