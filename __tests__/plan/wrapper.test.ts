import { expect, test } from '@jest/globals';
import { toplevelsIn } from '../../src/plan/wrapper.ts';

const path = (name: string): string => `/nix/store/${'0'.repeat(32)}-${name}`;

test.each<[string, string[], string[]]>([
  ['none', ['hello-2.12.drv', 'nixos-system-web-25.05'], []],
  ['one', ['nixos-system-web-25.05.drv', 'switch.drv'], ['nixos-system-web-25.05.drv']],
  [
    "one, and deploy-rs' scripts",
    ['nixos-system-a-25.05-activate-path.drv', 'nixos-system-a-25.05-activate-rs.drv', 'nixos-system-a-25.05.drv'],
    ['nixos-system-a-25.05.drv'],
  ],
  [
    'two',
    ['nixos-system-web-25.05.drv', 'nixos-system-web-2-25.05.drv'],
    ['nixos-system-web-25.05.drv', 'nixos-system-web-2-25.05.drv'],
  ],
])('the NixOS systems among derivations: %s', (_, names, expected) => {
  expect(toplevelsIn(names.map(path))).toEqual(expected.map(path));
});
