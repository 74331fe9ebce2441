import { describe, expect, test } from '@jest/globals';
import type { UnitFiles } from '../../src/preview/description.ts';
import { readUnit } from '../../src/preview/unit-file.ts';
import { planFstab, planUnits, type UnitPlan } from '../../src/preview/units.ts';
import { type UnitAction, type UnitCase, unitCases } from '../e2e/support/unit-cases.ts';

function planOf({
  before,
  after,
  start,
  fails = [],
}: Pick<UnitCase, 'before' | 'after' | 'start' | 'fails'>): UnitPlan {
  const states = start.map(unit => [unit, { active: fails.includes(unit) ? 'failed' : 'active', sub: '' }] as const);
  const pending = { start: [], restart: [], reload: [] };
  return planUnits({ before, after, states: Object.fromEntries(states), shadowed: [], pending });
}

function actionOf(unit: string, plan: UnitPlan): UnitAction {
  if (plan.kept.has(unit)) return 'skip';
  if (plan.reload.has(unit)) return 'reload';
  if (plan.restart.has(unit)) return 'restart';
  const [stops, starts] = [plan.stop.has(unit), plan.start.has(unit) && !plan.hidden.has(unit)];
  if (stops) return starts ? 'stop and start' : 'stop';
  return starts ? 'start' : 'nothing';
}

// e2e/embedded/switch-units.test.ts has the miniature's switch-to-configuration do the same.
const rows = unitCases.flatMap(row => Object.entries(row.actions).map(([unit, action]) => ({ row, unit, action })));
test.each(rows)('$row.what: $unit, $action', ({ row, unit, action }) => {
  expect(actionOf(unit, planOf(row))).toBe(row.planned?.[unit] ?? action);
});

test('all cases at once do not affect each other', () => {
  const files = (side: 'before' | 'after'): UnitFiles => Object.assign({}, ...unitCases.map(row => row[side]));
  const list = (key: 'start' | 'fails'): string[] => unitCases.flatMap(row => row[key] ?? []);
  const plan = planOf({ before: files('before'), after: files('after'), start: list('start'), fails: list('fails') });
  for (const { row, unit, action } of rows) expect(actionOf(unit, plan)).toBe(row.planned?.[unit] ?? action);
});

test('a unit that systemd does not read from /etc is left alone', () => {
  const files = (at: string): UnitFiles => ({ 'a.service': `[Service]\nExecStart=${at}\n` });
  const states = { 'a.service': { active: 'active', sub: 'running' } };
  const pending = { start: [], restart: [], reload: [] };
  const situation = { before: files('/bin/one'), after: files('/bin/two'), states, pending };
  expect([...planUnits({ ...situation, shadowed: [] }).stop]).toEqual(['a.service']);
  expect([...planUnits({ ...situation, shadowed: ['a.service'] }).stop]).toEqual([]);
});

test('what an interrupted switch left is done', () => {
  const pending = { start: ['a.service'], restart: ['b.service'], reload: ['c.service'] };
  const plan = planUnits({ before: {}, after: {}, states: {}, shadowed: [], pending });
  expect([plan.start, plan.restart, plan.reload].map(units => [...units])).toEqual(
    Object.values(pending).map(units => units),
  );
});

describe('unit files, as rust-ini reads them', () => {
  const values = (text: string): Record<string, Record<string, readonly string[]>> =>
    Object.fromEntries([...readUnit([{ name: 'a', text }])].map(([name, keys]) => [name, Object.fromEntries(keys)]));

  test.each([
    ['blanks around names and values', '[ Unit ]\n A = b \n', { Unit: { A: ['b'] } }],
    ['comments', '# one\n[Unit]\n;two\nA=b\n', { Unit: { A: ['b'] } }],
    ['[Install] is left out', '[Install]\nA=b\n[Unit]\nA=b\n', { Unit: { A: ['b'] } }],
    ['quotes are removed', '[Unit]\nA="b c" d\nB=\'e\'\n', { Unit: { A: ['b c d'], B: ['e'] } }],
    ['a quoted value goes over lines', '[Unit]\nA="b\nc"\n', { Unit: { A: ['b\nc'] } }],
    [
      'a backslash means nothing, so that the next line is a key',
      '[Unit]\nA=b \\\n  c=d\n',
      { Unit: { A: ['b \\'], c: ['d'] } },
    ],
    ['a colon separates too', '[Unit]\nA:b\n', { Unit: { A: ['b'] } }],
    ['an empty section', '[Unit]\n', { Unit: {} }],
    ['an empty value', '[Unit]\nA=\n', { Unit: { A: [] } }],
    ['an empty value removes earlier ones', '[Unit]\nA=1\nA=\nA=2\n', { Unit: { A: ['2'] } }],
    ['several values are added once for each of them', '[Unit]\nA=1\nA=2\n', { Unit: { A: ['1', '2', '1', '2'] } }],
    ['a section that comes twice', '[Unit]\nA=1\n[Unit]\nA=2\n', { Unit: { A: ['1', '2'] } }],
    ['a key before the first section', 'A=1\n[Unit]\n', { Unit: {} }],
  ])('%s', (_what, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  test.each([
    ['[Unit\nA=b\n', 'a: `]` is missing'],
    ['[Unit]\nA="b\n', 'a: a quotation mark is not closed'],
    ['[Unit]\n # indented\nA=b\n', 'a: a comment is indented'],
    ['[Unit]\nA\n', 'a: `=` is missing'],
    ['[Unit]\n=b\n', 'a: a key is missing'],
  ])('%j is an error', (text, message) => {
    expect(() => values(text)).toThrow(message);
  });
});

describe('fstab', () => {
  const plan = (before: string, after: string): Record<string, string[]> => {
    const units: UnitPlan = {
      ...{ stop: new Set(), start: new Set(), restart: new Set() },
      ...{ reload: new Set(), kept: new Set(), hidden: new Set() },
    };
    const swapOff = planFstab(before, after, units);
    const { stop, restart, reload, kept } = units;
    return { stop: [...stop], restart: [...restart], reload: [...reload], kept: [...kept], swapOff };
  };
  const nothing = { stop: [], restart: [], reload: [], kept: [], swapOff: [] };

  test.each([
    ['nothing', '/dev/a /a ext4 ro\n', '/dev/a /a ext4 ro 0 2\n', nothing],
    ['other options', '/dev/a /a ext4 ro\n', '/dev/a /a ext4 rw\n', { reload: ['a.mount'] }],
    ['another device', '/dev/a /a/b-c ext4 ro\n', '/dev/b /a/b-c ext4 ro\n', { restart: ['a-b\\x2dc.mount'] }],
    ['another type', '/dev/a /a ext4 ro\n', '/dev/a /a xfs rw\n', { restart: ['a.mount'] }],
    ['it is gone', '/dev/a /.a ext4 ro\n', '', { stop: ['\\x2ea.mount'] }],
    ['an automount is gone', '/dev/a /a ext4 x-systemd.automount\n', '', { stop: ['a.automount'] }],
    ['the root on another device', '/dev/a / ext4 ro\n', '/dev/b / ext4 ro\n', { kept: ['-.mount'] }],
    ['the root with other options', '/dev/a /nix ext4 ro\n', '/dev/b /nix ext4 rw\n', { reload: ['nix.mount'] }],
    ['swap', '/dev/s none swap sw\n/dev/t none swap\n', '/dev/t none swap pri=1\n', { swapOff: ['/dev/s'] }],
    ['a comment anywhere in a line', '/dev/a /a ext4 ro # gone\n', '', nothing],
    ['a new one', '', '/dev/a /a ext4 ro\n', nothing],
  ])('%s', (_what, before, after, expected) => {
    expect(plan(before, after)).toEqual({ ...nothing, ...expected });
  });
});
