import { expect, test } from '@jest/globals';
import { definitionIn, optionIn } from '../../src/plan/evaluation/definition.ts';

test.each<[string, string[] | null]>([
  [
    'The option `networking.hostNam\' does not exist. Definition values:\n- In `/x.nix\': "a"',
    ['networking', 'hostNam'],
  ],
  ["The option `time.timeZone' has conflicting definition values:\n- In `/x.nix': 1", ['time', 'timeZone']],
  ['A definition for option `a."b.c".d\' is not of type `string\'.', ['a', 'b.c', 'd']],
  [
    'A definition for option `networking.ports."[definition 1-entry 2]"\' is not of type `16 bit\'.',
    ['networking', 'ports'],
  ],
  ["Module `/x.nix' has an unsupported attribute `foo'. This is caused by …", ['foo']],
  [
    "Failed assertions:\n- The option definition `services.mysql.bind' in `/x.nix' no longer has any effect",
    ['services', 'mysql', 'bind'],
  ],
  ['something else', null],
])('%j is about %j', (message, names) => {
  expect(optionIn(message)).toEqual(names);
});

test.each<[string, string, string | null]>([
  ['a whole path', '{\n  a.b.c = 1;\n}', '2:3'],
  ['a path in a set', '{\n  a.b = {\n    x = 1;\n    c = 2;\n  };\n}', '4:5'],
  ['a name after the first', '{ x.c = 1;\n  a = {\n    b = {\n      c = 2;\n    };\n  };\n}', '4:7'],
  ['a set that is made elsewhere', '{\n  a.b = import ./b.nix;\n}', '2:3'],
  ['a part of a value', '{\n  a.b.c.d = 1;\n}', '2:3'],
  ['only in a comment or text', '{\n  # a.b.c = 1;\n  x = "a.b.c = 2";\n}', null],
  ['a path after another', '{\n  a.b.c-d = 1;\n  config.a.b.c = 1;\n}', '3:10'],
  ['two places', '{\n  web.a.b.c = 1;\n db = { a.b.c = 1; }; dc = { a.b.c = 1; };\n}', null],
  ['a comparison', '{\n  x = a.b.c == 1;\n}', null],
])('a.b.c in a file with %s', (_, text, expected) => {
  const at = definitionIn(text, ['a', 'b', 'c']);
  const place = (offset: number): string => {
    const before = text.slice(0, offset).split('\n');
    return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
  };
  expect(at === null ? null : place(at)).toBe(expected);
});
