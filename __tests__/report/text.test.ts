import { expect, test } from '@jest/globals';
import { noUnits } from '../../src/deploy/units.ts';
import { text } from '../../src/report/text.ts';
import { outcome, run } from './run.ts';

test('a dry run names the units and what else would change', () => {
  const units = { ...noUnits(), stop: ['a.service', 'gone.service'], start: ['a.service'], kept: ['session.service'] };
  const planned = outcome('web', 'planned', { mode: 'dry-activate', units, others: ['would remove user ‘eve’'] });
  expect(text(run({ mode: 'dry-activate', outcomes: [planned] })).split('\n')).toEqual([
    'web: would stop: gone.service',
    'web: would restart: a.service',
    'web: changed, but would keep running in the old version: session.service',
    'web: would remove user ‘eve’',
    '',
  ]);
});

test('what a deployment changed is not listed', () => {
  const units = { ...noUnits(), restart: ['a.service'] };
  expect(text(run({ outcomes: [outcome('web', 'deployed', { units })] }))).toBe('');
});
