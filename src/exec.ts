/**
 * Our own way to run programs. @actions/exec, which `Context.query` uses in the action (src/runner.ts), does not give its
 * caller the child process: it cannot cancel it, stop it after a time or write a promise to its input, it drops a last line
 * without a newline from line listeners, and it does not report signals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CommandError, type CommandFailure, stderrLimit } from './errors.ts';

export interface ExecOptions {
  cwd?: string;
  /** The whole environment of the child; by default this process's own. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * Written to the child's standard input, which is then closed; secrets are passed this way. With a promise, the child
   * starts before the input is known; if the promise rejects, the input is empty.
   */
  input?: string | Buffer | Promise<string>;
  /** Called with each line that the child prints on standard error, as it arrives. */
  onStderr?: (line: string) => void;
  /** Called with each line that the child prints on standard output; `stdout` of the result is then empty. */
  onStdout?: (line: string) => void;
  /** The same with its bytes, for output that may not be text. */
  onStdoutChunk?: (chunk: Buffer) => void;
  /** Milliseconds after which the child gets SIGTERM, and 5 s later SIGKILL. */
  timeout?: number;
  /** Milliseconds without any output after which the child gets SIGTERM, and 5 s later SIGKILL; 0: any time. */
  stall?: number;
  signal?: AbortSignal;
  /** Exit codes that do not mean failure; by default only 0. */
  allow?: readonly number[];
}

export interface ExecResult {
  code: number;
  stdout: string;
  /** The last 64 KiB. */
  stderr: string;
}

/** Runs other programs. It is injected, so that tests can record or replace it. */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

const keptStderr = 64 * 1024;
const graceMilliseconds = 5_000;

/** Characters after which a line is cut. Lines of Nix's log hold what a host's evaluation answered: some 100 KB. */
const longestLine = 16 * 1024 * 1024;

/** Milliseconds without output after which the pipes of a child that has exited are closed, and the limit in any case. */
const afterExit = { quiet: 1_000, limit: 10_000 };

/**
 * Runs a program, without a shell.
 *
 * Lines longer than 16 Mi characters are cut. A process that the child leaves behind may keep its pipes open: they are
 * read until nothing has arrived for one second after the child exited, for ten seconds at most.
 *
 * @throws CommandError when it exits with a code not in `allow`, is ended, or cannot be started.
 */
export const exec: Exec = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const argv = [command, ...args];
    if (options.signal?.aborted) {
      reject(new CommandError(argv, { kind: 'cancelled' }, ''));
      return;
    }
    const child = start(command, args, options);
    const output = collect(child, options);
    const ending = endWhenAsked(child, options);
    if (options.stall) endWhenSilent(child, options.stall, ending.end);
    const fail = (failure: CommandFailure): void =>
      reject(new CommandError(argv, failure, output.stderr().slice(-stderrLimit)));

    feed(child, options.input);
    // Also emitted if the child may not be ended because it runs as root (sudo); it is then left to itself.
    child.on('error', error => {
      ending.clear();
      fail(ending.cause() ?? notStarted(error, options.cwd));
    });
    child.once('exit', () => closeWhenQuiet(child));
    child.once('close', (code, signal) => {
      ending.clear();
      output.flush();
      if (code !== null && (options.allow ?? [0]).includes(code)) {
        resolve({ code, stdout: output.stdout(), stderr: output.stderr() });
      } else
        fail(ending.cause() ?? (code === null ? { kind: 'signal', signal: String(signal) } : { kind: 'exit', code }));
    });
  });

/** @throws CommandError for what `spawn` itself refuses, such as arguments that are too long. */
function start(command: string, args: readonly string[], { cwd, env, input }: ExecOptions): ChildProcess {
  try {
    return spawn(command, args, {
      cwd,
      env: env as NodeJS.ProcessEnv | undefined,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CommandError([command, ...args], notStarted(error as NodeJS.ErrnoException, cwd), '');
  }
}

function notStarted({ code, message }: NodeJS.ErrnoException, cwd: string | undefined): CommandFailure {
  // `spawn` reports ENOENT for a missing directory too.
  if (cwd !== undefined && !existsSync(cwd)) {
    return { kind: 'not-started', reason: `the directory ${cwd} does not exist` };
  }
  if (code === 'ENOENT') return { kind: 'missing' };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'not-permitted' };
  return { kind: 'not-started', reason: code ?? message };
}

function feed(child: ChildProcess, input: ExecOptions['input']): void {
  // A child that exits before it has read its input is judged by its exit code, not by the broken pipe.
  child.stdin?.on('error', () => undefined);
  if (input instanceof Promise) {
    input.then(
      text => child.stdin?.end(text),
      () => child.stdin?.end(),
    );
  } else child.stdin?.end(input);
}

/** Calls `end` if the child prints nothing for this many milliseconds. */
function endWhenSilent(child: ChildProcess, milliseconds: number, end: (failure: CommandFailure) => void): void {
  const timer = setTimeout(() => end({ kind: 'stalled', milliseconds }), milliseconds);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', () => void timer.refresh());
  const clear = (): void => clearTimeout(timer);
  child.once('exit', clear).once('error', clear);
}

/** Ends the child at its time limit or when the run is cancelled; `cause` is why it was ended, null if it was not. */
function endWhenAsked(
  child: ChildProcess,
  { timeout, signal }: ExecOptions,
): { cause: () => CommandFailure | null; end: (failure: CommandFailure) => void; clear: () => void } {
  let cause: CommandFailure | null = null;
  const end = (failure: CommandFailure): void => {
    cause ??= failure;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), graceMilliseconds).unref();
  };
  const cancel = (): void => end({ kind: 'cancelled' });
  const timer =
    timeout === undefined ? undefined : setTimeout(() => end({ kind: 'timeout', milliseconds: timeout }), timeout);
  signal?.addEventListener('abort', cancel, { once: true });
  return {
    cause: () => cause,
    end,
    clear() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

/** Runs programs as `run` does; those that have no time limit of their own end after `milliseconds` without output. */
export function withStallLimit(run: Exec, milliseconds: number): Exec {
  return (command, args, options = {}) =>
    run(command, args, options.timeout === undefined ? { stall: milliseconds, ...options } : options);
}

/** Gathers what the child prints. `flush` hands on the last line, if no newline ended it. */
function collect(
  child: ChildProcess,
  { onStdout, onStdoutChunk, onStderr }: ExecOptions,
): { stdout: () => string; stderr: () => string; flush: () => void } {
  const chunks: Buffer[] = [];
  let stderr = '';
  const errors = readLines(child.stderr, line => {
    stderr += `${line}\n`;
    // Not for each line, because it copies the text.
    if (stderr.length > 4 * keptStderr) stderr = stderr.slice(-keptStderr);
    onStderr?.(line);
  });
  const lines = onStdout === undefined ? null : readLines(child.stdout, onStdout);
  if (lines === null) child.stdout?.on('data', onStdoutChunk ?? ((chunk: Buffer) => chunks.push(chunk)));
  return {
    stdout: () => Buffer.concat(chunks).toString(),
    stderr: () => stderr.slice(-keptStderr),
    flush() {
      lines?.flush();
      errors.flush();
    },
  };
}

function readLines(stream: NodeJS.ReadableStream | null, each: (line: string) => void): { flush: () => void } {
  // Joined only when the line is complete: appending to one string takes time quadratic in the length of a line.
  let parts: string[] = [];
  let length = 0;
  const add = (text: string): void => {
    const part = text.slice(0, longestLine - length);
    if (part !== '') parts.push(part);
    length += part.length;
  };
  const complete = (): void => {
    const line = parts.join('');
    parts = [];
    length = 0;
    each(line);
  };
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    add(first);
    for (const text of others) {
      complete();
      add(text);
    }
  });
  return { flush: () => (length > 0 ? complete() : undefined) };
}

/** Closes the pipes of a child that has exited once they are quiet; see `exec`. */
function closeWhenQuiet(child: ChildProcess): void {
  const streams = [child.stdout, child.stderr];
  const close = (): void => streams.forEach(stream => void stream?.destroy());
  let read = false;
  const heard = (): void => {
    read = true;
  };
  for (const stream of streams) stream?.on('data', heard);
  const look = (): void => {
    // Output that has already arrived is read first, even if this thread was busy for a while.
    setImmediate(() => {
      if (!read) return close();
      read = false;
      quiet.refresh();
    });
  };
  const quiet = setTimeout(look, afterExit.quiet);
  const limit = setTimeout(close, afterExit.limit);
  child.once('close', () => {
    clearTimeout(quiet);
    clearTimeout(limit);
  });
}
