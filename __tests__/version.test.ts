import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { version } from '../src/version.ts';

test("the version told is package.json's", () => {
  expect((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version).toBe(version);
});
