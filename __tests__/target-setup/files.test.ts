import { expect, test } from '@jest/globals';
import { type Gate, gateFiles, moduleText } from '../../src/target-setup/files.ts';

const key = (base64: string, comment = '') => ({ type: 'ssh-ed25519', base64, comment });
/** What Nix would read as an expression in a string. */
const interpolation = '$'.concat('{x}');
const gate: Gate = {
  host: 'web',
  deployKeys: [key('AAAA', `ci "main" ${interpolation} \\`)],
  previewKeys: [key('BBBB')],
  signingKeys: ['fleet-1:a'],
  cacheKeys: [],
  allowOlder: false,
};

test('the module gets the same keys, in words that Nix reads as they are', () => {
  expect(moduleText(gate)).toBe(`imports = [ (nix-ferry + "/target/module.nix") ];
services.nix-ferry.gate = {
  enable = true;
  host = "web";
  signingKeys = [
    "fleet-1:a"
  ];
  deployKeys = [
    "ssh-ed25519 AAAA ci \\"main\\" \\\${x} \\\\"
  ];
  previewKeys = [
    "ssh-ed25519 BBBB"
  ];
};
`);
});

test('a key can only run the gate, as its kind', () => {
  expect(gateFiles(gate).files.keys).toBe(
    [
      `restrict,command="/bin/sh /var/lib/nix-ferry-gate/current/gate deploy ssh-ed25519 AAAA" ssh-ed25519 AAAA ci "main" ${interpolation} \\`,
      'restrict,command="/bin/sh /var/lib/nix-ferry-gate/current/gate preview ssh-ed25519 BBBB" ssh-ed25519 BBBB',
      '',
    ].join('\n'),
  );
});

test('the version names the content', () => {
  const { version } = gateFiles(gate);
  expect(gateFiles(gate).version).toBe(version);
  expect(gateFiles({ ...gate, allowOlder: true }).version).not.toBe(version);
});
