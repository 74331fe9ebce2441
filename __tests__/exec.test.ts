import { ChildProcess } from 'node:child_process';
import { expect, jest, test } from '@jest/globals';
import { CommandError } from '../src/errors.ts';
import { exec, withStallLimit } from '../src/exec.ts';

test('input is passed, lines are complete, and no shell is used', async () => {
  const lines: string[] = [];
  const { stdout } = await exec('sh', ['-c', 'cat; printf "a\\nb" >&2; printf "%s" "$1"', 'sh', '$(id)'], {
    input: 'in ',
    onStderr: line => lines.push(line),
  });
  expect([stdout, lines]).toEqual(['in $(id)', ['a', 'b']]);
});

test('an error has the command, the exit code and the end of standard error', async () => {
  const failure = await exec('sh', ['-c', 'echo first >&2; echo why >&2; exit 7']).catch(error => error);
  expect(failure).toBeInstanceOf(CommandError);
  expect([failure.code, failure.stderr]).toEqual([7, 'first\nwhy\n']);
  expect(failure.message).toMatch(/^sh -c .* exited with 7: why$/s);
});

test('an exit code that is allowed is not a failure', async () => {
  await expect(exec('sh', ['-c', 'exit 7'], { allow: [0, 7] })).resolves.toMatchObject({ code: 7 });
});

test('a child that never reads its input is not an error', async () => {
  await expect(exec('true', [], { input: 'x'.repeat(1 << 20) })).resolves.toMatchObject({ code: 0 });
});

test.each([
  [
    'a program that does not exist',
    '/nowhere/program',
    [],
    {},
    { kind: 'missing' },
    'The program /nowhere/program was not found',
  ],
  [
    'a file that is not executable',
    '/etc/passwd',
    [],
    {},
    { kind: 'not-permitted' },
    'The program /etc/passwd may not be executed: permission denied',
  ],
  [
    'a working directory that does not exist',
    'sh',
    [],
    { cwd: '/nowhere' },
    { kind: 'not-started', reason: 'the directory /nowhere does not exist' },
    'The program sh could not be started: the directory /nowhere does not exist',
  ],
  [
    'an argument that is too long',
    'true',
    ['x'.repeat(1 << 20)],
    {},
    { kind: 'not-started', reason: 'E2BIG' },
    'The program true could not be started: E2BIG',
  ],
  ['an exit code', 'sh', ['-c', 'exit 127'], {}, { kind: 'exit', code: 127 }, 'sh -c exit 127 exited with 127'],
  [
    'a signal',
    'sh',
    ['-c', 'kill -KILL $$'],
    {},
    { kind: 'signal', signal: 'SIGKILL' },
    'sh -c kill -KILL $$ was ended by SIGKILL',
  ],
  [
    'a time limit',
    'sh',
    ['-c', 'echo waiting >&2; exec sleep 20'],
    { timeout: 500 },
    { kind: 'timeout', milliseconds: 500 },
    'sh -c echo waiting >&2; exec sleep 20 timed out after 0.5 s: waiting',
  ],
  [
    'silence',
    'sh',
    ['-c', 'echo waiting >&2; exec sleep 20'],
    { stall: 500 },
    { kind: 'stalled', milliseconds: 500 },
    'sh -c echo waiting >&2; exec sleep 20 printed nothing for 0.5 s and was ended: waiting',
  ],
  ['an abort', 'sleep', ['20'], { signal: AbortSignal.timeout(100) }, { kind: 'cancelled' }, 'sleep 20 was cancelled'],
  [
    'an abort before the start',
    'sleep',
    ['20'],
    { signal: AbortSignal.abort() },
    { kind: 'cancelled' },
    'sleep 20 was cancelled',
  ],
] as const)('%s is a kind of failure', async (_, command, args, options, failure, message) => {
  const error = await exec(command, args, options).catch(error => error);
  expect(error).toBeInstanceOf(CommandError);
  expect([error.failure, error.message]).toEqual([failure, message]);
});

test('a command that prints something now and then is not silent', async () => {
  const talking = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; echo $i; done';
  const { stdout } = await exec('sh', ['-c', talking], { stall: 1500 });
  expect(stdout.split('\n')).toHaveLength(11);
});

test('a limit for all commands leaves those alone that have a limit of their own', async () => {
  const options: unknown[] = [];
  const limited = withStallLimit(async (_command, _args, given) => {
    options.push(given);
    return { code: 0, stdout: '', stderr: '' };
  }, 5);
  await limited('a', []);
  await limited('a', [], { timeout: 3 });
  await limited('a', [], { stall: 0, cwd: '/' });
  expect(options).toEqual([{ stall: 5 }, { timeout: 3 }, { stall: 0, cwd: '/' }]);
});

test('a command that succeeds despite its time limit is a success', async () => {
  const patient = ['-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];
  await expect(exec('sh', patient, { timeout: 300 })).resolves.toMatchObject({ code: 0 });
});

// Collecting such a line took time quadratic in its length, because each chunk was appended to what had arrived.
test('the parts of a line are joined once, however many they are', async () => {
  const join = jest.spyOn(Array.prototype, 'join');
  try {
    const print = 'const x = "x".repeat(1 << 15); for (let i = 0; i < 1024; i++) process.stderr.write(x)';
    let length = 0;
    await exec(process.execPath, ['-e', print], { onStderr: line => (length = line.length) });
    expect(length).toBe(16 * 1024 * 1024);
    const joined = join.mock.contexts.filter(parts => Array.isArray(parts) && parts.length > 100);
    expect(joined).toHaveLength(1);
  } finally {
    join.mockRestore();
  }
}, 60_000);

test('a line is cut at 16 MiB, however long it is', async () => {
  const lengths: number[] = [];
  const print = 'process.stderr.write("x".repeat(48 << 20) + "\\nnext\\n")';
  await exec(process.execPath, ['-e', print], { onStderr: line => lengths.push(line.length) });
  expect(lengths).toEqual([16 * 1024 * 1024, 4]);
}, 60_000);

test('a process left behind that keeps the output open does not delay a finished command', async () => {
  const left = 'sleep 30 & echo $!; echo done >&2';
  const lines: string[] = [];
  const { stdout } = await exec('sh', ['-c', left], { onStderr: line => lines.push(line) });
  // It is still there, and so are the pipes.
  expect(() => process.kill(Number(stdout), 'SIGKILL')).not.toThrow();
  expect(lines).toEqual(['done']);
});

test('all output of a command arrives, even if it is read slowly', async () => {
  const print = 'process.stdout.write("x".repeat(8 << 20), () => process.exit(0))';
  const pending = exec(process.execPath, ['-e', print], {
    onStderr: () => undefined,
  });
  // Nothing is read while this thread is busy, which is longer than the wait for open pipes.
  await new Promise(resolve => setTimeout(resolve, 200));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  expect((await pending).stdout).toHaveLength(8 << 20);
});

// These tests run as root, which may end every process; the mock does what Node does if that is not permitted.
test('a child that cannot be ended has timed out, too', async () => {
  const kill = jest.spyOn(ChildProcess.prototype, 'kill').mockImplementation(function (this: ChildProcess) {
    this.emit('error', Object.assign(new Error('kill EPERM'), { code: 'EPERM', syscall: 'kill' }));
    return false;
  });
  try {
    const error = await exec('sleep', ['1'], { timeout: 100 }).catch(error => error);
    expect(error.failure).toEqual({ kind: 'timeout', milliseconds: 100 });
  } finally {
    kill.mockRestore();
  }
});
