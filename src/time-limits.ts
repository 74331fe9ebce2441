import { duration } from './amounts.ts';
import type { Context, Stage } from './context.ts';
import { CommandError, UserError } from './errors.ts';

/** Milliseconds for a short command that answers a question (`Query`): a file system may hang, and so may a lock of Git. */
export const queryLimit = 120_000;

/**
 * Does `work` with a context whose signal is aborted after `seconds`; 0: no limit.
 *
 * @param input the input that sets the limit.
 * @throws UserError if the time is over before `work` has ended.
 */
export async function inTime<T>(
  context: Context,
  input: string,
  seconds: number,
  work: (limited: Context) => Promise<T>,
): Promise<T> {
  if (seconds === 0) return work(context);
  const time = AbortSignal.timeout(seconds * 1000);
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, time]) });
  } catch (error) {
    if (!time.aborted || context.signal.aborted) throw error;
    throw new UserError(`It took longer than \`${input}\`, ${duration(seconds)}.`, {
      cure: `Raise \`${input}\`, or select fewer hosts with \`hosts\`.`,
      cause: error,
    });
  }
}

/** For a command that took too long: the error says in which stage, and which input to raise or where to look. */
export function explainStall(error: unknown, stage: Stage): unknown {
  if (!(error instanceof CommandError)) return error;
  const { kind } = error.failure;
  if (kind !== 'stalled' && kind !== 'timeout') return error;
  const cures = {
    stalled: 'If it is only slow, raise `stall-timeout`.',
    timeout: 'Check that the disks and services that it uses answer, then run again.',
  };
  return new UserError(`Stage ${stage}: ${error.message}.`, { cure: cures[kind], cause: error });
}

/**
 * The result of `request`, if it comes within so many seconds and before `signal` is aborted: the clients of GitHub's services
 * retry for 15 minutes and cannot be stopped.
 */
export function within<T>(seconds: number, request: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      end();
      reject(new Error(`the service did not answer within ${seconds} s.`));
    };
    const timer = setTimeout(giveUp, seconds * 1000);
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    request.then(resolve, reject).finally(end);
  });
}
