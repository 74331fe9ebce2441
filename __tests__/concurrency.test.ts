import { expect, test } from '@jest/globals';
import { mapConcurrently } from '../src/concurrency.ts';

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

test('at most the limit run at once; results are in order', async () => {
  let now = 0;
  let most = 0;
  const answers = await mapConcurrently([30, 10, 20, 1, 5], 2, async item => {
    most = Math.max(most, ++now);
    await pause(item);
    now--;
    return item * 2;
  });
  expect([answers, most]).toEqual([[60, 20, 40, 2, 10], 2]);
});

test('after a failure nothing is started, and running work is awaited', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = mapConcurrently([1, 2, 3, 4], 2, async item => {
    begun.push(item);
    if (item === 1) throw new Error('one');
    await pause(20);
    ended.push(item);
  });
  await expect(work).rejects.toThrow('one');
  expect([begun, ended]).toEqual([[1, 2], [2]]);
});
