import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { changesMachine, isFailure, type OutcomeKind, outcomes, skipped } from '../../src/deploy/outcome.ts';

const kinds = Object.keys(outcomes) as OutcomeKind[];

test.each(kinds)('the README explains %s', kind => {
  expect(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')).toContain(`\`${kind}\``);
});

test.each(kinds.filter(kind => outcomes[kind].fails))('%s, which fails the job, says what to do next', kind => {
  expect(outcomes[kind].next).toMatch(/^[A-Z].*\.$/);
});

test('a skipped host has no systems and is not a failure', () => {
  const outcome = skipped('web', 'switch', 'It has no target.');
  expect(outcome).toMatchObject({ outcome: 'skipped', before: null, after: null, message: 'It has no target.' });
  expect(isFailure(outcome)).toBe(false);
  expect(changesMachine(outcome)).toBe(false);
});
