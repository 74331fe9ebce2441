import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Context } from '../src/context.ts';
import { CommandError, UserError } from '../src/errors.ts';
import { explainStall, inTime, within } from '../src/time-limits.ts';

const context = { signal: new AbortController().signal } as Context;

const patient = async ({ signal }: Context): Promise<void> => {
  await sleep(30_000, undefined, { signal });
};

test('a stage that takes too long is ended, and the error names the input', async () => {
  const error = await inTime(context, 'plan-timeout', 1, patient).catch(error => error);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toBe('It took longer than `plan-timeout`, 1.0 s.');
  expect(error.cure).toContain('Raise `plan-timeout`');
});

test('a run that is cancelled was not too slow', async () => {
  const cancelled = { ...context, signal: AbortSignal.abort(new Error('cancelled')) };
  const error = await inTime(cancelled, 'plan-timeout', 1, patient).catch(error => error);
  expect(error).not.toBeInstanceOf(UserError);
});

test('a command that was silent too long: the error has the stage, the command, the time and the input', () => {
  const silent = new CommandError(['nix-instantiate', '--eval'], { kind: 'stalled', milliseconds: 60_000 }, '');
  expect(explainStall(silent, 'plan')).toMatchObject({
    message: 'Stage plan: nix-instantiate --eval printed nothing for 60 s and was ended.',
    cure: 'If it is only slow, raise `stall-timeout`.',
  });
});

test('a short command that took too long: the error has the stage and says where to look', () => {
  const late = new CommandError(['git', 'status'], { kind: 'timeout', milliseconds: 120_000 }, '');
  expect(explainStall(late, 'plan')).toMatchObject({
    message: 'Stage plan: git status timed out after 120 s.',
    cure: expect.stringContaining('disks and services'),
  });
});

test('a request that is never answered is given up, when its time is over or the run is cancelled', async () => {
  const never = new Promise(() => undefined);
  await expect(within(1, never, context.signal)).rejects.toThrow('the service did not answer within 1 s');
  const cancelled = new AbortController();
  const asking = within(600, never, cancelled.signal);
  cancelled.abort();
  await expect(asking).rejects.toThrow();
  expect(await within(600, Promise.resolve('answer'), context.signal)).toBe('answer');
});
