import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { evaluationFailure } from '../../src/plan/evaluation/diagnose.ts';
import type { EvaluationFailure } from '../../src/plan/fleet.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cause-test-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** What the plan reports of a failure with this message, where these files were evaluated. */
function reported(message: string, files: Readonly<Record<string, string>> = {}): EvaluationFailure {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const failure = {
    kind: 'evaluation' as const,
    message,
    printed: `error: ${message}`,
    places: [],
    files: new Set(Object.keys(files).map(file => join(root, file))),
    roots: [root],
  };
  return evaluationFailure('web', failure, { root, repository: null });
}

// srackham/nixos-configurations: hosts/xps27/configuration.nix
test.each(['stack overflow; max-call-depth exceeded', 'stack overflow (possible infinite recursion)'])(
  'a file that imports itself: %s',
  message => {
    const files = { 'hosts/xps27/configuration.nix': '{ ... }:\n{\n  imports = [\n    ./configuration.nix\n  ];\n}\n' };
    expect(reported(message, files)).toMatchObject({
      message: 'hosts/xps27/configuration.nix imports itself. Remove the import, or correct its path.',
      file: 'hosts/xps27/configuration.nix',
      line: 4,
    });
  },
);

test('files that import each other', () => {
  const files = {
    'flake.nix': '{ outputs = _: import ./a.nix; }',
    'a.nix': '{ imports = [ ./b ]; }',
    'b/default.nix': '{ ... }: {\n  imports = [ ../c.nix ../a.nix ];\n}',
    'c.nix': '{ }',
  };
  expect(reported('stack overflow; max-call-depth exceeded', files)).toMatchObject({
    message: 'b/default.nix imports a.nix, which imports b/default.nix. Remove one of the imports.',
    file: 'b/default.nix',
    line: 2,
  });
});

test('a stack overflow without such a file', () => {
  expect(reported('stack overflow; max-call-depth exceeded', { 'a.nix': '{ imports = [ ./b.nix ]; }' })).toMatchObject({
    message:
      'Stack overflow; max-call-depth exceeded. It means that a value needs itself, most often through functions that call each other without an end. The stack trace names them.',
  });
});

// joachimschmidt557/josch557-xyz-infrastructure
test('a flake that reads a file of the machine', () => {
  const path = '/home/joachim/secrets/ignore.json';
  expect(
    reported(`access to absolute path '${path}' is forbidden in pure evaluation mode (use '--impure' to override)`)
      .message,
  ).toBe(
    `Access to absolute path '${path}' is forbidden in pure evaluation mode. It means that the flake reads ${path}, which is outside of it. Commit it and refer to it by a relative path; a secret belongs on the target, not in its configuration.`,
  );
});

// randomnetcat/nixops-configs, whose module is imported twice
test('an assertion that fails twice is reported once', () => {
  const one = "- The option definition `a' no longer has any effect; please remove it.\nUse b instead.";
  const other = '- No root file system.';
  expect(reported(`\nFailed assertions:\n${one}\n${other}\n${one}`).message).toBe(
    `Failed assertions:\n${one}\n${other}`,
  );
});

// gmacon/dotfiles
test('an option without a value has the place that defines the rest of it', () => {
  const message =
    'The option `fileSystems."/srv".fsType\' was accessed but has no value defined. Try setting the option.';
  const files = { 'web.nix': '{\n  fileSystems."/srv" = { device = "/dev/sda2"; };\n}\n' };
  expect(reported(message, files)).toMatchObject({
    message: `${message} It means that a file system has no type, for which nixpkgs has no default since 26.05. Write \`fsType = "ext4";\` with its type, or \`"auto"\`, the default before.`,
    file: 'web.nix',
    line: 2,
  });
});

// NixOS/nixops#1192 and #259
test('a host without the file systems of its machine', () => {
  const assertion = 'The ‘fileSystems’ option does not specify your root file system.';
  expect(reported(`Failed assertions:\n- ${assertion}`).message).toBe(
    `Failed assertions:\n- ${assertion} It means that the configuration lacks what is special to the machine: its disks and its boot loader. \`nixos-generate-config --show-hardware-config\` prints most of it there: commit that as hardware-configuration.nix and import it, or use disko.`,
  );
});

test('the toplevel leads to every failure, so it is not named', () => {
  const printed = "error:\n … while evaluating the option `system.build.toplevel':\n error: oh";
  const failure = {
    kind: 'evaluation' as const,
    message: 'oh',
    printed,
    places: [],
    files: new Set<string>(),
    roots: [],
  };
  expect(evaluationFailure('web', failure, { root, repository: null }).message).toBe('Oh.');
});
