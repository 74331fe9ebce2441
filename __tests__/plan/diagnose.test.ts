import { expect, test } from '@jest/globals';
import { evaluationFailure } from '../../src/plan/evaluation/diagnose.ts';

const failure = (message: string, printed: string) => ({
  kind: 'evaluation' as const,
  message,
  printed,
  places: [],
  files: new Set<string>(),
  roots: [],
});

test('a known message of Nix is followed by what it means and what to write', () => {
  const printed = "error: assertion 'stdenv.hostPlatform.isLinux' failed\n  at /nix/store/x/default.nix:7:1";
  const { message } = evaluationFailure('pi', failure("assertion 'stdenv.hostPlatform.isLinux' failed", printed));
  expect(message).toMatch(
    /^Assertion '.*' failed\. It means that .*macOS.*NixOS runs on Linux\. .*nixpkgs\.hostPlatform/,
  );
});

test('an unknown message is not changed', () => {
  expect(evaluationFailure('pi', failure('it is so', 'error: it is so')).message).toBe('It is so.');
});
