import { expect, test } from '@jest/globals';
import { mostKept, replyReader } from '../../src/deploy/reply.ts';

test('a target cannot fill the memory of the runner', () => {
  const logged: string[] = [];
  const { reply, read } = replyReader({ onLog: line => logged.push(line) });
  for (let i = 0; i < 1000; i++) read(`key-${i}=${'x'.repeat(100_000)}`);
  for (let i = 0; i < mostKept.lines + 1000; i++) read(': y');
  read(`: ${'y'.repeat(1_000_000)}`);
  read('__proto__=x');
  expect(reply.values.size).toBe(mostKept.values);
  expect(reply.values.get('key-0')).toHaveLength(mostKept.characters);
  expect(reply.log).toHaveLength(mostKept.lines);
  // All lines are counted: the runner asks for those that follow.
  expect(logged).toHaveLength(mostKept.lines + 1001);
  expect(logged.at(-1)).toHaveLength(mostKept.characters);
});
