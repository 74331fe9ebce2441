/**
 * An error in what the user gave us, or in what the world answered, that the user can mend.
 *
 * `message` says what is wrong, `where` names the place (an input, a file with line and column, a host) and `cure` what
 * to write instead. It is printed without a stack; any other error is a defect of ours and is printed with one.
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

/** A place a user can go to: `file` is relative to the repository where it lies inside it; line and column count from 1. */
export interface Place {
  input?: string;
  host?: string;
  file?: string;
  line?: number;
  column?: number;
}

/** A child process that ended otherwise than it should. `stderr` holds its last lines, at most 8 KiB. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly command: readonly string[];
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;

  constructor(command: readonly string[], code: number | null, signal: string | null, stderr: string) {
    const ended = code === null ? `was ended by ${signal}` : `exited with ${code}`;
    super(`${command.slice(0, 4).join(' ')} ${ended}${stderr === '' ? '' : `: ${lastLine(stderr)}`}`);
    this.command = command;
    this.code = code;
    this.signal = signal;
    this.stderr = stderr;
  }
}

/** Without Nix's advice, which older versions put after the error. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.findLast(line => !line.startsWith("(use '--show-trace'")) ?? '';
}

/** One line for a person: the message, its place and its cure. */
export function explain(error: unknown): string {
  if (error instanceof UserError) {
    return [error.message, ...(error.cure === undefined ? [] : [error.cure])].join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}
