import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const text = readFileSync('SECURITY.md', 'utf8');

test('SECURITY.md: every file that it names exists', () => {
  const files = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file ?? '');
  expect(files.filter(file => !existsSync(file))).toEqual([]);
  expect(files.length).toBeGreaterThan(30);
});

test('SECURITY.md: every claim names a test', () => {
  const enforced = text.slice(text.indexOf('## What is enforced'), text.indexOf('## What is not protected'));
  const claims = enforced.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| claim'));
  expect(claims.filter(line => !line.includes('.test.ts]('))).toEqual([]);
  expect(claims.length).toBeGreaterThan(15);
});
