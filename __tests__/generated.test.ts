import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { generated } from '../scripts/generated.ts';

test.each(Object.entries(generated()))(
  '%s repeats the inputs as src/ declares them (else: npm run format)',
  (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);
