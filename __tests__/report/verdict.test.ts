import { expect, test } from '@jest/globals';
import type { Log } from '../../src/context.ts';
import type { OutcomeKind } from '../../src/deploy/outcome.ts';
import type { Place } from '../../src/errors.ts';
import { report, text } from '../../src/report/index.ts';
import { verdict } from '../../src/report/verdict.ts';
import { built, host, outcome, run } from './run.ts';

const succeeds = {
  skipped: true,
  unchanged: true,
  planned: true,
  deployed: true,
  'needs-reboot': true,
  degraded: false,
  refused: false,
  'rolled-back': false,
  unreachable: false,
  failed: false,
} satisfies Record<OutcomeKind, boolean>;

test.each(Object.entries(succeeds) as [OutcomeKind, boolean][])('%s: the run succeeds: %s', (kind, ok) => {
  expect(verdict(run({ built: [built('web')], outcomes: [outcome('web', kind), outcome('db', 'deployed')] })).ok).toBe(
    ok,
  );
});

test('a host that was not evaluated or built, or an error, fails the run', () => {
  const failed = {
    host: host('db'),
    ok: false as const,
    failure: { message: 'x', drvPath: null, log: '', place: null },
  };
  expect(verdict(run({ built: [failed] })).failures).toMatchObject([{ host: 'db', stage: 'build', outcome: null }]);
  expect(verdict(run({ error: { message: 'x', cure: null, where: null } })).ok).toBe(false);
  expect(verdict(run()).ok).toBe(true);
});

function recorder(): { log: Log; said: [string, string, Place | undefined][] } {
  const said: [string, string, Place | undefined][] = [];
  const at = (kind: string) => (message: string, where?: Place) => void said.push([kind, message, where]);
  return {
    said,
    log: {
      debug: at('debug'),
      info: at('info'),
      notice: at('notice'),
      warning: at('warning'),
      error: at('error'),
      secret: at('secret'),
    },
  };
}

test('an annotation for each host that failed, at its place, and the summary', async () => {
  const { log, said } = recorder();
  const fleet = {
    ...{ format: 'flake' as const, detected: null, source: '/x', commit: null, dirty: false, names: [], hosts: [] },
    failures: [{ host: 'db', message: 'attribute missing', trace: '', file: 'flake.nix', line: 3, column: 1 }],
  };
  const outcomes = [
    outcome('web', 'failed', { message: 'No.' }),
    outcome('pi', 'needs-reboot', { message: 'Not yet.' }),
  ];
  const written: string[] = [];
  const { ok } = await report(run({ fleet, outcomes }), log, async text => void written.push(text));
  expect(ok).toBe(false);
  expect(said).toEqual([
    ['error', 'db: not evaluated: attribute missing', { host: 'db', file: 'flake.nix', line: 3, column: 1 }],
    ['error', 'web: failed: No.', { host: 'web' }],
    ['warning', 'pi: Not yet. Reboot the target to start the new system.', { host: 'pi' }],
  ]);
  expect(written).toHaveLength(1);
  expect(written[0]).toContain('| web |');
});

test('if there are more failures than annotations, the last one names the rest', async () => {
  const { log, said } = recorder();
  const names = Array.from({ length: 25 }, (_, index) => `h${index}`);
  await report(run({ outcomes: names.map(name => outcome(name, 'unreachable')) }), log, null);
  expect(said).toHaveLength(10);
  expect(said[9]?.[1]).toBe(`16 more hosts failed, see the summary: ${names.slice(9).join(', ')}`);
});

test('hosts that failed for one reason are one annotation', async () => {
  const { log, said } = recorder();
  const failure = (host: string, message: string) => ({ host, message, trace: '', file: 'a.nix', line: 3, column: 1 });
  const fleet = {
    ...{ format: 'flake' as const, detected: null, source: '/x', commit: null, dirty: false, names: [], hosts: [] },
    failures: [failure('web', 'No.'), failure('db', 'Other.'), failure('pi', 'No.')],
  };
  await report(run({ fleet }), log, null);
  expect(said.map(([, message]) => message)).toEqual([
    '2 hosts (web, pi): not evaluated: No.',
    'db: not evaluated: Other.',
  ]);
  expect(text(run({ fleet }))).toContain('2 hosts (web, pi): plan failed: No. (a.nix:3)\n');
});
