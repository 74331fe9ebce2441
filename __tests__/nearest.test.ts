import { expect, test } from '@jest/globals';
import { nearest } from '../src/nearest.ts';

test.each([
  ['swithc', ['none', 'switch', 'test'], 'switch'],
  ['Router', ['router', 'routers'], 'router'],
  ['depoly-key', ['deploy-key', 'signing-key'], 'deploy-key'],
  ['zebra', ['router', 'server'], null],
  ['a', [], null],
])('%s among %j', (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});
