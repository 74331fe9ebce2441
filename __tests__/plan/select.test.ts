import { expect, test } from '@jest/globals';
import { inOrder, needsTags, select } from '../../src/plan/select.ts';

const names = ['db', 'web-1', 'web-2', 'a.b', 'x"$(id)', '@odd', '!not'];
const tags = (host: string): string[] => (host.startsWith('web') ? ['web', 'prod'] : host === 'db' ? ['prod'] : []);

test.each<[string[], string[]]>([
  [[], names],
  [['db'], ['db']],
  [
    ['web-*', 'db'],
    ['db', 'web-1', 'web-2'],
  ],
  [['web-?'], ['web-1', 'web-2']],
  [['@prod'], ['db', 'web-1', 'web-2']],
  [['@we*'], ['web-1', 'web-2']],
  [
    ['@prod', '!web-2'],
    ['db', 'web-1'],
  ],
  [['!@prod'], ['a.b', 'x"$(id)', '@odd', '!not']],
  [['a.b'], ['a.b']],
  [['x"$(id)'], ['x"$(id)']],
  [['@odd'], ['@odd']],
  [['!not'], ['!not']],
])('%j selects %j', (selectors, expected) => {
  expect(select(names, selectors, tags)).toEqual(expected);
});

test.each(['a?b', 'a.b'])('%j: only * and ? are special', selector => {
  expect(select(['a.b', 'axbx', '[ab]', 'a+'], [selector], tags)).toEqual(['a.b']);
});

test('the error for a host that does not exist lists the most similar and all known names', () => {
  expect(() => select(names, ['wep-1'], tags)).toThrow(
    expect.objectContaining({
      message: 'There is no host "wep-1".',
      cure: 'Did you mean "web-1"? Known hosts: db, web-1, web-2, a.b, "x\\"$(id)", @odd, "!not".',
      where: { input: 'hosts' },
    }),
  );
  expect(() => select(names, ['@pord'], tags)).toThrow(
    expect.objectContaining({
      message: 'There is no tag "@pord".',
      cure: 'Did you mean "@prod"? Known tags: @prod, @web.',
    }),
  );
  expect(() => select(names, ['!nope-*'], tags)).toThrow('No host matches "nope-*".');
});

test.each([[['!*']], [['db', '!db']], [['!!not', 'd*', '!*']]])('%j selects no host', selectors => {
  expect(() => select(names, selectors, tags)).toThrow(
    expect.objectContaining({
      message: `The selection "${selectors.join(', ')}" contains no host.`,
      where: { input: 'hosts' },
    }),
  );
});

test('an empty fleet has an empty selection', () => {
  expect(select([], [], tags)).toEqual([]);
});

test.each<[string, string, string]>([
  ['zzz-*', 'No host matches "zzz-*".', 'Known hosts: db,'],
  ['@zzz-*', 'No tag matches "@zzz-*".', 'Known tags: @prod,'],
  ['db web-1', 'There is no host "db web-1".', 'Separate names by commas: db, web-1.'],
])('%j', (selector, message, cure) => {
  expect(() => select(names, [selector], tags)).toThrow(
    expect.objectContaining({ message, cure: expect.stringContaining(cure) }),
  );
});

test('tags are needed only if a selector names one', () => {
  expect(needsTags(['web-*', '!db'])).toBe(false);
  expect(needsTags(['web-*', '!@db'])).toBe(true);
});

test.each<[string[], string[]]>([
  [[], ['a', 'b', 'c', 'd']],
  [
    ['web', 'db'],
    ['b', 'c', 'a', 'd'],
  ],
  [['db'], ['a', 'c', 'b', 'd']],
])('hosts in the order of the tags %j', (order, expected) => {
  const tags = { a: ['db'], b: ['web'], c: ['db', 'web'], d: [] };
  const hosts = Object.entries(tags).map(([name, own]) => ({ name, tags: own }));
  expect(inOrder(hosts, order).map(({ name }) => name)).toEqual(expected);
});
