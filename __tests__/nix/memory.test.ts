import { expect, test } from '@jest/globals';
import { CommandError, type CommandFailure } from '../../src/errors.ts';
import { ranOutOfMemory } from '../../src/nix/memory.ts';

const exit: CommandFailure = { kind: 'exit', code: 1 };

test.each<[string, CommandFailure, string, boolean]>([
  ['killed by the kernel', { kind: 'signal', signal: 'SIGKILL' }, '', true],
  [
    'aborted by the allocator',
    { kind: 'signal', signal: 'SIGABRT' },
    "terminate called after throwing 'std::bad_alloc'",
    true,
  ],
  ["Nix's own words", exit, 'error: out of memory', true],
  ["the garbage collector's", exit, 'GC Warning: Out of Memory! Heap size: 4 MiB. Returning NULL!', true],
  ['a failed allocation', exit, 'error: std::bad_alloc', true],
  ['a failed fork', exit, 'error: unable to fork: Cannot allocate memory', true],
  ['another error', exit, "error: attribute 'memory' missing", false],
  ['another signal', { kind: 'signal', signal: 'SIGSEGV' }, '', false],
  ['ended by us at a time limit', { kind: 'timeout', milliseconds: 1000 }, 'out of memory', false],
  ['cancelled', { kind: 'cancelled' }, '', false],
])('%s', (_, failure, stderr, expected) => {
  expect(ranOutOfMemory(new CommandError(['nix'], failure, stderr))).toBe(expected);
});
