import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bootedParts } from '../../src/deploy/booted.ts';

test('the script compares the same files on a target', () => {
  const script = readFileSync(join(import.meta.dirname, '../../target/activation/booted.sh'), 'utf8');
  const names = ['booted_links', 'booted_contents'].flatMap(
    list => new RegExp(`^${list}='(.*)'$`, 'm').exec(script)?.[1]?.split(' ') ?? [],
  );
  expect(names).toEqual(Object.keys(bootedParts));
});
