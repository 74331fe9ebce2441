import { expect, test } from '@jest/globals';
import { CommandError } from '../src/errors.ts';
import { exec } from '../src/exec.ts';

test('what is written comes back, lines are whole, nothing passes a shell', async () => {
  const lines: string[] = [];
  const { stdout } = await exec('sh', ['-c', 'cat; printf "a\\nb" >&2; printf "%s" "$1"', 'sh', '$(id)'], {
    input: 'in ',
    onStderr: line => lines.push(line),
  });
  expect([stdout, lines]).toEqual(['in $(id)', ['a', 'b']]);
});

test('a failure carries command, code and the last of standard error', async () => {
  const failure = await exec('sh', ['-c', 'echo first >&2; echo why >&2; exit 7']).catch(error => error);
  expect(failure).toBeInstanceOf(CommandError);
  expect([failure.code, failure.stderr]).toEqual([7, 'first\nwhy\n']);
  expect(failure.message).toMatch(/^sh -c .* exited with 7: why$/s);
});

test('a code that is an answer is no failure', async () => {
  await expect(exec('sh', ['-c', 'exit 7'], { allow: [0, 7] })).resolves.toMatchObject({ code: 7 });
});

test('a program that is not there is a failure with 127', async () => {
  await expect(exec('/nowhere/program', [])).rejects.toMatchObject({ code: 127 });
});

test('a child that never reads its input does not break us', async () => {
  await expect(exec('true', [], { input: 'x'.repeat(1 << 20) })).resolves.toMatchObject({ code: 0 });
});

test.each([
  ['a time limit', { timeout: 100 }],
  ['an abort', { signal: AbortSignal.timeout(100) }],
  ['an abort before the start', { signal: AbortSignal.abort() }],
])('%s ends the child', async (_, options) => {
  await expect(exec('sleep', ['1000'], options)).rejects.toMatchObject({ code: null, signal: 'SIGTERM' });
});
