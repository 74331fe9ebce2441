import { expect, test } from '@jest/globals';
import { checkHostName } from '../../src/plan/host-name.ts';

test.each([['web'], ['web-1.example.com'], ['constructor'], ['_a'], ['größe'], ['a/b'], ['my host'], ['2001']])(
  '%j is a name',
  name => {
    expect(() => checkHostName(name, 'flake.nix')).not.toThrow();
  },
);

test.each([
  [''],
  ['::stop-commands::x'],
  ['a\n::add-mask::b'],
  ['a\rb'],
  ['-o'],
  ['.'],
  ['../x'],
  ['a\u202eb'],
  ['##[x]'],
  ['a"b'],
])('%j is an error', name => {
  expect(() => checkHostName(name, 'flake.nix')).toThrow(
    expect.objectContaining({ name: 'UserError', where: { file: 'flake.nix' } }),
  );
});
