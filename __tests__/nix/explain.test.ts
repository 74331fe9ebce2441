import { expect, test } from '@jest/globals';
import { explainNixError, hashMismatchIn } from '../../src/nix/explain.ts';

// What Nix 2.8 and 2.34 print, and what users reported.
test.each<[string, string, RegExp]>([
  [
    'another system, before 2.31',
    "error: a 'aarch64-linux' with features {} is required to build '/nix/store/ds3174h0ycsd54013k86j8xh896gmhi2-healthcheck-commands.txt.drv', but I am a 'aarch64-darwin' with features {benchmark, big-parallel, nixos-test}",
    /system aarch64-linux/,
  ],
  [
    'another system, since 2.31',
    "error: Cannot build '/nix/store/x.drv'.\n       Reason: required system or feature not available\n       Required system: 'riscv64-linux' with features {}",
    /system riscv64-linux/,
  ],
  [
    'a Linux system evaluated for Darwin',
    "error: assertion '(stdenv).isLinux' failed\n\n       at /nix/store/zsk-nixpkgs-22.05/nixpkgs/pkgs/os-specific/linux/kernel/generic.nix:70:1:",
    /evaluated for macOS/,
  ],
  ['the system of the machine', "error: attribute 'currentSystem' missing", /system of the evaluating machine/],
  ['no space', 'error: writing to file: No space left on device', /disk is full/],
  [
    'an HTML page',
    "error: failed to extract archive 'https://example.org/x.tar.gz': Unrecognized archive format",
    /HTML page/,
  ],
  [
    'a private input',
    "error: unable to download 'https://api.github.com/repos/o/private/tarball/main': HTTP error 404",
    /GitHub answers 404/,
  ],
  ['another processor', "error: executing '/nix/store/x/bin/sh': Exec format error", /another processor/],
  ['no sandbox', 'error: cloning builder process: Operation not permitted', /sandbox cannot be set up/],
])('%s', (_what, printed, message) => {
  const explained = explainNixError(printed);
  expect(explained?.message).toMatch(message);
  expect(explained?.cure).toMatch(/^[A-Z].*\.$/);
});

test('an unknown error is not explained', () => {
  expect(explainNixError("error: builder for '/nix/store/x.drv' failed with exit code 2;")).toBeNull();
});

// As Nix 2.8, 2.26 and 2.34 print it.
test('a hash mismatch has both hashes', () => {
  const printed = [
    "error: hash mismatch in fixed-output derivation '/nix/store/x-source.drv':",
    '         specified: sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '            got:    sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  ].join('\n');
  expect(hashMismatchIn(printed)).toEqual({
    drvPath: '/nix/store/x-source.drv',
    specified: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    got: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  });
  expect(hashMismatchIn('error: something else')).toBeNull();
});
