/**
 * An error that the user can fix: in what they gave us, or in how something outside answered.
 *
 * `message` says what is wrong, `where` names the place (an input, a file with line and column, a host) and `cure` says
 * what to write instead. It is printed without a stack; any other error is an internal error and is printed with one.
 */
export class UserError extends Error {
  override name = 'UserError';
  readonly where: Place | undefined;
  readonly cure: string | undefined;

  constructor(message: string, details: { where?: Place; cure?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.where = details.where;
    this.cure = details.cure;
  }
}

/** A place that the user can open. `file` is relative to the repository if it is inside it; line and column start at 1. */
export interface Place {
  input?: string;
  host?: string;
  file?: string;
  line?: number;
  column?: number;
}

/** Why a command failed. */
export type CommandFailure =
  /** It exited with a code that means failure. */
  | { kind: 'exit'; code: number }
  /** A signal ended it, and we did not send it. */
  | { kind: 'signal'; signal: string }
  /** There is no such program (ENOENT). */
  | { kind: 'missing' }
  /** The program may not be executed (EACCES, EPERM). */
  | { kind: 'not-permitted' }
  /** It could not be started for another reason. */
  | { kind: 'not-started'; reason: string }
  /** It was still running when its time limit was reached. */
  | { kind: 'timeout'; milliseconds: number }
  /** It had printed nothing for so long. */
  | { kind: 'stalled'; milliseconds: number }
  /** It was ended, or not started, because the run was cancelled. */
  | { kind: 'cancelled' };

/** Characters of a command's standard error that its error has. */
export const stderrLimit = 8 * 1024;

/** A command that failed. `stderr` holds the end of its standard error, at most 8 KiB. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly command: readonly string[];
  readonly failure: CommandFailure;
  readonly stderr: string;

  constructor(command: readonly string[], failure: CommandFailure, stderr: string) {
    super(describe(command, failure, stderr));
    this.command = command;
    this.failure = failure;
    this.stderr = stderr;
  }

  /** The exit code; null if the command did not exit by itself. */
  get code(): number | null {
    return this.failure.kind === 'exit' ? this.failure.code : null;
  }
}

/** Whether the command ran to its end and exited with a code that means failure. */
export function exitedWithFailure(error: unknown): error is CommandError {
  return error instanceof CommandError && error.failure.kind === 'exit';
}

function describe(command: readonly string[], failure: CommandFailure, stderr: string): string {
  const [program] = command;
  const started = command.slice(0, 4).join(' ');
  const printed = stderr.trim() === '' ? '' : `: ${lastLine(stderr)}`;
  switch (failure.kind) {
    case 'exit':
      return `${started} exited with ${failure.code}${printed}`;
    case 'signal':
      return `${started} was ended by ${failure.signal}${printed}`;
    case 'missing':
      return `The program ${program} was not found`;
    case 'not-permitted':
      return `The program ${program} may not be executed: permission denied`;
    case 'not-started':
      return `The program ${program} could not be started: ${failure.reason}`;
    case 'timeout':
      return `${started} timed out after ${failure.milliseconds / 1000} s${printed}`;
    case 'stalled':
      return `${started} printed nothing for ${failure.milliseconds / 1000} s and was ended${printed}`;
    case 'cancelled':
      return `${started} was cancelled`;
  }
}

/** Skips Nix's advice, which older versions print after the error. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.findLast(line => !line.startsWith("(use '--show-trace'")) ?? '';
}

/** The error in one line for a person: the message and the cure. */
export function explain(error: unknown): string {
  if (error instanceof UserError) {
    return [error.message, ...(error.cure === undefined ? [] : [error.cure])].join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}
