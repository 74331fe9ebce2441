import { expect, test } from '@jest/globals';
import { attributePath } from '../../src/plan/attribute-path.ts';
import { deal, processes } from '../../src/plan/evaluation/evaluate.ts';
import { flakeReference, unlockedInput } from '../../src/plan/evaluation/flake-reference.ts';
import { inRepository, placeOf } from '../../src/plan/evaluation/places.ts';

const gibibyte = 1024 ** 3;

test.each<[number, number, number | null, number, number]>([
  [1, 8, null, 16 * gibibyte, 1],
  [2, 8, null, 16 * gibibyte, 1],
  [3, 8, null, 16 * gibibyte, 2],
  [40, 2, null, 16 * gibibyte, 2],
  [40, 8, null, 16 * gibibyte, 8],
  [40, 8, null, 2 * gibibyte, 2],
  [40, 8, null, gibibyte / 4, 1],
  [40, 8, 3, 16 * gibibyte, 3],
  [0, 8, null, 16 * gibibyte, 1],
])(
  '%d hosts on %d processors, at most %p at once, in %d bytes: %d evaluators',
  (hosts, cores, jobs, memory, expected) => {
    expect(processes(hosts, cores, jobs, memory)).toBe(expected);
  },
);

test('hosts are split evenly, and each is in one part', () => {
  expect(deal([1, 2, 3, 4, 5], 2)).toEqual([
    [1, 3, 5],
    [2, 4],
  ]);
  expect(deal([1], 4)).toEqual([[1]]);
  expect(deal([], 4)).toEqual([]);
});

test.each<[string | null, string[]]>([
  [null, []],
  ['', []],
  ['a', ['a']],
  ['a.b.c', ['a', 'b', 'c']],
  ['a."b.c".d', ['a', 'b.c', 'd']],
  ['"q\\"uote"', ['q"uote']],
  ['$(id)', ['$(id)']],
])('the attribute path %j', (text, names) => {
  expect(attributePath(text)).toEqual(names);
});

test.each(['a..b', '.a', 'a.', 'a."b', 'a b'])('%j is not an attribute path', text => {
  expect(() => attributePath(text)).toThrow('is not an attribute path');
});

test('the innermost place in the repository is used', () => {
  const at = (file: string, line: number) => ({ file, line, column: 1 });
  const failure = {
    message: 'oh',
    kind: 'evaluation' as const,
    printed: 'error: oh',
    places: [at('/nix/store/x-nixpkgs/lib/a.nix', 1), at('/work-tree/hosts/web.nix', 7), at('/work-tree/flake.nix', 2)],
    roots: ['/work-tree', '/nix/store/y-source'],
    files: new Set<string>(),
  };
  expect(placeOf(failure)).toEqual(at('hosts/web.nix', 7));
  const printed = 'error: oh\n  at /nix/store/y-source/a.nix:3:4:';
  expect(placeOf({ ...failure, places: [], printed })).toEqual({ file: 'a.nix', line: 3, column: 4 });
  expect(inRepository(at('/work-tree-2/a.nix', 1), ['/work-tree'])).toBeNull();
});

test.each<[object, string]>([
  [{}, 'git+file:///fleet?rev=c0ffee&ref=HEAD'],
  [{ dirty: true }, 'git+file:///fleet'],
  [{ commit: null }, 'git+file:///fleet'],
  [{ submodules: [{ path: 'sub', checkedOut: true }] }, 'git+file:///fleet?submodules=1'],
  [{ submodules: [{ path: 'sub', checkedOut: false }] }, 'git+file:///fleet?rev=c0ffee&ref=HEAD'],
  [{ shallow: true }, 'git+file:///fleet?rev=c0ffee&ref=HEAD&shallow=1'],
])('the reference of a flake in a repository with %j', (more, url) => {
  const clean = { commit: 'c0ffee', dirty: false, shallow: false, submodules: [], encoded: [] };
  const repository = { root: '/fleet', ...clean, ...more };
  expect(flakeReference('/fleet', repository)).toEqual({ url, locked: url.includes('rev=') });
});

test('special characters of a path are encoded', () => {
  const repository = { root: "/a b/$(x)'?#%é", commit: 'c', dirty: true, shallow: false, submodules: [], encoded: [] };
  expect(flakeReference("/a b/$(x)'?#%é/in&ner", repository).url).toBe(
    'git+file:///a%20b/%24%28x%29%27%3F%23%25%C3%A9?dir=in%26ner',
  );
});

test.each<[string, string | null]>([
  ["cannot update flake input 'nixpkgs' in pure mode", 'nixpkgs'],
  ["cannot update unlocked flake input 'a/b' in pure mode", 'a/b'],
  ["flake 'x' requires lock file changes but they're not allowed due to '--no-update-lock-file'", ''],
  ['attribute missing', null],
])('%s', (message, input) => {
  expect(unlockedInput(message)).toBe(input);
});
