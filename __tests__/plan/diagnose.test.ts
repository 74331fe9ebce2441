import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { evaluationFailure } from '../../src/plan/evaluation/diagnose.ts';

const folder = { root: '/work-tree', repository: null };

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
  const { message } = evaluationFailure(
    'pi',
    failure("assertion 'stdenv.hostPlatform.isLinux' failed", printed),
    folder,
  );
  expect(message).toMatch(
    /^Assertion '.*' failed\. It means that .*macOS.*NixOS runs on Linux\. .*nixpkgs\.hostPlatform/,
  );
});

test('an unknown message is not changed', () => {
  expect(evaluationFailure('pi', failure('it is so', 'error: it is so'), folder).message).toBe('It is so.');
});

test('paths of the repository are relative, those of nixpkgs begin at its folder', () => {
  const nixpkgs = `/nix/store/${'a'.repeat(32)}-source`;
  const message = `The option \`x' has conflicting definition values:\n- In \`/work-tree/a.nix': 1\n- In \`/nix/store/${'b'.repeat(32)}-source/b.nix': 2\n- In \`${nixpkgs}/nixos/modules/c.nix': 3`;
  const one = {
    ...failure(message, `error: ${message}`),
    roots: ['/work-tree', `/nix/store/${'b'.repeat(32)}-source`],
  };
  const { message: shown, file } = evaluationFailure('pi', one, folder);
  expect(shown).toMatch(/In `a\.nix': 1\n- In `b\.nix': 2\n- In `nixpkgs\/nixos\/modules\/c\.nix': 3/);
  expect(file).toBe('a.nix');
});

test('an error inside nixpkgs comes with its place there and the option that leads to it', () => {
  const nixpkgs = `/nix/store/${'a'.repeat(32)}-source`;
  const printed =
    "error:\n … while evaluating the option `system.build.toplevel':\n … while evaluating the option `environment.systemPackages':\n error: attribute 'x' missing";
  const one = { ...failure("attribute 'x' missing", printed), roots: ['/work-tree'] };
  const places = [{ file: `${nixpkgs}/pkgs/top-level/all-packages.nix`, line: 7, column: 1 }];
  expect(evaluationFailure('pi', { ...one, places }, folder).message).toBe(
    "Attribute 'x' missing. It occurs at nixpkgs/pkgs/top-level/all-packages.nix:7; the option environment.systemPackages leads to it.",
  );
});

test('the line of nixpkgs that names options is not an option', () => {
  const line = `   12|   addErrorContext "while evaluating the option \`\${showOption loc}\\':"`;
  const printed = `error:\n … while evaluating the option \`fileSystems':\n${line}\n error: no`;
  const { message } = evaluationFailure('pi', { ...failure('no', printed), roots: ['/work-tree'] }, folder);
  expect(message).toBe('No. The option fileSystems leads to it.');
});

test('an infinite recursion comes with what most often causes it', () => {
  const { message } = evaluationFailure(
    'pi',
    failure('infinite recursion encountered', 'error: infinite recursion encountered'),
    folder,
  );
  expect(message).toMatch(
    /^Infinite recursion encountered\. It means that a value needs itself\. .*`imports`.*`specialArgs`/,
  );
});

test('of definitions in a trace, the innermost of the repository is the place; a folder is its default.nix', () => {
  const root = mkdtempSync(join(tmpdir(), 'diagnose-'));
  mkdirSync(join(root, 'profiles/web'), { recursive: true });
  writeFileSync(join(root, 'profiles/web/default.nix'), '{ }');
  const line = (path: string): string => ` … while evaluating definitions from \`${path}':\n`;
  const printed = `error:\n${line(`${root}/flake.nix`)}${line(`${root}/profiles/web`)} error: oh`;
  expect(evaluationFailure('pi', { ...failure('oh', printed), roots: [root] }, folder).file).toBe(
    'profiles/web/default.nix',
  );
  rmSync(root, { recursive: true });
});

test('a long trace is kept with both ends', () => {
  const printed = `error:\n${' … while\n'.repeat(9_000)} error: the end`;
  const { trace } = evaluationFailure('pi', failure('the end', printed), folder);
  expect(trace).toMatch(/^error:[\s\S]*error: the end$/);
  expect(trace.length).toBeLessThanOrEqual(16 * 1024);
});

test('a file of a flake is named without the reference of the flake', () => {
  const message = "cannot read '«git+file:///work-tree?ref=HEAD&rev=c0ffee»/hosts/web.nix'";
  expect(evaluationFailure('pi', failure(message, `error: ${message}`), folder).message).toBe(
    "Cannot read 'hosts/web.nix'",
  );
});
