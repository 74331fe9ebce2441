import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../src/deploy/outcome.ts';
import { outputsOf } from '../src/outputs.ts';
import { preview, unchanged, units } from './report/previews.ts';
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

describe('of a preview', () => {
  const waiting = { reboot: [{ part: 'kernel' as const, text: 'kernel 6.6 → 6.12', pending: true }] };
  const unreachable = { host: 'pi', known: false as const, why: 'unreachable' as const, message: 'No connection.' };
  const previews = [preview('web'), unchanged('db', waiting), unreachable];

  test('what each host would change, which need a reboot, and that something would change', () => {
    const outputs = outputsOf(run({ mode: 'preview', previews }));
    expect(JSON.parse(outputs.changes)).toMatchObject({
      web: {
        ...{ changed: true, complete: true, before: '/nix/store/aaaa-nixos-web', after: '/nix/store/bbbb-nixos-web' },
        ...{ reboot: [], units: { restart: ['nginx.service'] }, packages: { updated: [{ name: 'nginx' }] } },
      },
      db: { changed: false, reboot: ['kernel 6.6 → 6.12'] },
      pi: { changed: null, why: 'unreachable', message: 'No connection.' },
    });
    expect([outputs.reboot, outputs.changed]).toEqual(['["db"]', 'true']);
  });

  test('nothing would change', () => {
    expect(outputsOf(run({ previews: [unchanged('db'), unreachable] })).changed).toBe('false');
  });

  test('no contents of files, and less than the outputs of a job may have', () => {
    const etc = [{ name: 'motd', kind: 'changed' as const, rebuilt: false, diff: '-private\n' }];
    expect(outputsOf(run({ previews: [preview('web', { etc })] })).changes).not.toContain('private');
    const restart = Array.from({ length: 200 }, (_, index) => `unit-${index}.service`);
    const many = Array.from({ length: 300 }, (_, index) => preview(`host-${index}`, { units: units({ restart }) }));
    const { changes } = outputsOf(run({ previews: many }));
    expect(changes.length).toBeLessThan(128 * 1024);
    expect(JSON.parse(changes)['host-299']).toMatchObject({ changed: true, complete: false });
  });
});
