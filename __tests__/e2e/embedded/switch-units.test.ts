import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Systems, switchTo } from '../support/systems.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';
import { type UnitAction, type UnitFiles, unitCases } from '../support/unit-cases.ts';

// One switch between two systems that have the unit files of all cases; then each case is checked separately.

let systems: Systems;
let target: Target;
let planned: Map<string, UnitAction>;
let done: Map<string, UnitAction>;
let before: Map<string, string>;
let after: Map<string, string>;

const units = unitCases.flatMap(row => Object.keys(row.actions));

beforeAll(async () => {
  [systems, target] = await Promise.all([
    Systems.start(),
    startSystemdTarget({ name: 'units', deployKey: await generateKey('deploy') }),
  ]);
  const files = (side: 'before' | 'after'): UnitFiles => Object.assign({}, ...unitCases.map(row => row[side]));
  const cases = { before: files('before'), after: files('after') };
  const toplevels = await systems.give(target, 'unit-cases.nix', ['before', 'after'], cases);
  const first = await switchTo(target, toplevels.before, 'test');
  if (first.code !== 0) throw new Error(first.lines.join('\n'));
  const start = unitCases.flatMap(row => row.start);
  // One of them fails, as it should.
  await target.machine.run(['systemctl', 'start', '--', ...start], { allow: [0, 1] });
  planned = actions((await switchTo(target, toplevels.after, 'dry-activate')).lines);
  before = await invocations();
  const switched = await switchTo(target, toplevels.after, 'test');
  if (switched.code !== 0) throw new Error(switched.lines.join('\n'));
  done = actions(switched.lines);
  after = await invocations();
});
afterAll(() => Promise.all([systems.stop(), target.stop()]));

/** The action of each unit, from the lines that name it. */
function actions(lines: readonly string[]): Map<string, UnitAction> {
  const found = new Map<string, UnitAction>();
  for (const line of lines) {
    const [, verb, names] = /^(?:would )?(\w+(?: \w+)?) the following (?:changed )?units: (.*)$/.exec(line) ?? [];
    for (const name of names?.split(', ') ?? []) {
      if (/^stop/.test(verb ?? '')) found.set(name, 'stop');
      else if (/^NOT/.test(verb ?? '')) found.set(name, 'skip');
      else if (/^restart/.test(verb ?? '')) found.set(name, 'restart');
      else if (/^reload/.test(verb ?? '')) found.set(name, 'reload');
      else if (/^start/.test(verb ?? '')) found.set(name, found.get(name) === 'stop' ? 'stop and start' : 'start');
    }
  }
  return found;
}

/** Unit → its invocation ID, empty if it does not run. */
async function invocations(): Promise<Map<string, string>> {
  const script =
    'for u; do echo "$u $(systemctl show --property=ActiveState,InvocationID --value -- "$u" | tr "\\n" " ")"; done';
  const lines = (await target.says('sh', '-c', script, 'sh', ...units)).split('\n');
  return new Map(
    lines.map(line => {
      const [name = '', ...words] = line.trim().split(' ');
      return [name, words.includes('active') ? (words.find(word => word.length === 32) ?? '') : ''];
    }),
  );
}

const rows = unitCases.flatMap(row => Object.entries(row.actions).map(([unit, action]) => ({ ...row, unit, action })));

test.each(rows)('$what: $unit, $action', async ({ unit, action, planned: other, what }) => {
  expect(done.get(unit) ?? 'nothing').toBe(action);
  expect(planned.get(unit) ?? 'nothing').toBe(other?.[unit] ?? action);
  const [was, is] = [before.get(unit), after.get(unit)];
  if (action === 'stop') expect(is).toBe('');
  else if (action === 'stop and start' || action === 'restart' || action === 'start') {
    if (is === '') throw new Error(await target.says('journalctl', '--no-pager', '--unit', unit));
    expect(is).not.toBe(was);
  } else if (unit !== 'member.service') expect(is).toBe(was);
  else expect([was, is, what]).toEqual(['', expect.stringMatching(/^.{32}$/), what]);
});
