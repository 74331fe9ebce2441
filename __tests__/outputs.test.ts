import { expect, test } from '@jest/globals';
import type { Outcome } from '../src/deploy/outcome.ts';
import { outputsOf } from '../src/outputs.ts';
import { outcome, run } from './report/run.ts';

test.each<[string, Outcome, string]>([
  ['a switch', outcome('web', 'deployed'), 'true'],
  [
    'a new boot default, which leaves what runs',
    outcome('web', 'deployed', { mode: 'boot', after: '/nix/store/aaaa-nixos' }),
    'true',
  ],
  ['nothing to do', outcome('web', 'unchanged', { after: '/nix/store/aaaa-nixos' }), 'false'],
  ['a dry run', outcome('web', 'planned', { mode: 'dry-activate' }), 'false'],
  ['a rollback', outcome('web', 'rolled-back', { after: '/nix/store/aaaa-nixos' }), 'false'],
  ['a failure before anything happened', outcome('web', 'failed', { after: '/nix/store/aaaa-nixos' }), 'false'],
  ['a failure after which the running system is unknown', outcome('web', 'failed', { after: null }), 'true'],
])('changed: %s', (_, one, changed) => {
  expect(outputsOf(run({ outcomes: [one] })).changed).toBe(changed);
});

test('outcomes by host, without their logs', () => {
  const one = outcome('web', 'degraded');
  expect(JSON.parse(outputsOf(run({ outcomes: [{ ...one, log: 'long' }] })).outcomes)).toEqual({ web: one });
});
