import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CommandError } from '../src/errors.ts';
import { exec } from '../src/exec.ts';
import { queryWithin } from '../src/runner.ts';

let shown: ReturnType<typeof jest.spyOn>;
beforeEach(() => {
  shown = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  expect(shown).not.toHaveBeenCalled();
  shown.mockRestore();
});

async function failure(running: Promise<unknown>): Promise<CommandError> {
  const error = await running.catch(thrown => thrown);
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
}

/** Short commands run with @actions/exec in the action, and with our own exec on the command line: stages see no difference. */
describe.each([
  ['@actions/exec', queryWithin(60_000)],
  ['our own', exec],
])('%s', (_, run) => {
  test('a result has both streams, unchanged', async () => {
    const result = await run('printf', ['one\\0two\\nwithout an end']);
    expect(result).toEqual({ code: 0, stdout: 'one\0two\nwithout an end', stderr: '' });
  });

  test('arguments, the working directory and the environment arrive unchanged', async () => {
    const script = 'printf "%s," "$@" "$PWD" "$GIVEN" "$(printenv OTHER || echo none)"';
    const env = { PATH: process.env.PATH, GIVEN: 'a b', OTHER: undefined };
    const { stdout } = await run('sh', ['-c', script, 'sh', 'a "b"', '', '$(id)'], { cwd: '/', env });
    expect(stdout).toBe('a "b",,$(id),/,a b,none,');
  });

  test('another exit code is an error with the end of standard error, unless it is allowed', async () => {
    const args = ['-c', 'echo wrong >&2; exit 3'];
    expect(await failure(run('sh', args))).toMatchObject({ command: ['sh', ...args], code: 3, stderr: 'wrong\n' });
    expect(await run('sh', args, { allow: [0, 3] })).toMatchObject({ code: 3, stderr: 'wrong\n' });
  });

  test('a program that a signal ended has no exit code', async () => {
    expect(await failure(run('sh', ['-c', 'kill -KILL $$']))).toMatchObject({ code: null });
  });

  test('the error for a program that does not exist names it', async () => {
    expect(await failure(run('no-such-program', []))).toMatchObject({
      failure: { kind: 'missing' },
      message: expect.stringContaining('no-such-program'),
    });
  });
});

test('a command that does not end in time is a failure, although @actions/exec cannot end it', async () => {
  const left = join(await mkdtemp(join(tmpdir(), 'query-')), 'pid');
  const error = await failure(queryWithin(1000)('sh', ['-c', 'echo $$ >"$0"; exec sleep 60', left]));
  expect(error).toMatchObject({ failure: { kind: 'timeout', milliseconds: 1000 }, stderr: '' });
  // It still runs: only the wait for it has ended.
  expect(() => process.kill(Number(readFileSync(left, 'utf8')), 'SIGKILL')).not.toThrow();
});
