import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { UserError } from '../src/errors.ts';
import { help, readFlags } from '../src/flags.ts';
import { inputsOfStep } from '../src/step.ts';

const read = (args: string[], env: Record<string, string> = {}) => readFlags(args, inputsOfStep.run, env);
const directory = mkdtempSync(join(tmpdir(), 'ferry-flags-'));
const file = join(directory, 'value');
writeFileSync(file, 'text of the file\n');
afterAll(() => rmSync(directory, { recursive: true }));

test.each<[string[], Record<string, string>]>([
  [['--mode', 'switch'], { mode: 'switch' }],
  [['--mode=switch'], { mode: 'switch' }],
  [['--nix-conf=a = b\nc = d'], { 'nix-conf': 'a = b\nc = d' }],
  [['--comment', '--mode', 'test'], { comment: 'true', mode: 'test' }],
  [['--comment=false'], { comment: 'false' }],
  [['--comment', 'false'], { comment: 'false' }],
  [['--comment', 'true', '--mode', 'test'], { comment: 'true', mode: 'test' }],
  [['--hosts', '@web'], { hosts: '@web' }],
  [['--known-hosts', `@${file}`], { 'known-hosts': 'text of the file\n' }],
  [['--deploy-key', file], { 'deploy-key': 'text of the file\n' }],
])('%j', (args, inputs) => {
  expect(read(args).inputs).toEqual(inputs);
});

test('arguments and flags may be in any order', () => {
  const flags = read(['pi', '--json', 'networking.hostName', '-h']);
  expect([flags.words, [...flags.switches]]).toEqual([
    ['pi', 'networking.hostName'],
    ['json', 'help'],
  ]);
});

test('a secret is read from its variable', () => {
  expect(read([], { FERRY_DEPLOY_KEY: 'key' }).inputs).toEqual({ 'deploy-key': 'key' });
});

describe('refused', () => {
  test.each([
    [['--mdoe', 'x'], 'There is no --mdoe. Did you mean --mode?'],
    [['--from', 'run'], '--from is not accepted here; other steps accept it. Accepted here: source, format'],
    [['--mode'], '--mode needs a value.'],
    [['-m', 'test'], 'There is no flag -m.'],
    [['--json=yes'], '--json takes no value.'],
    [['--no-comment'], 'There is no --no-comment.'],
    [['--__proto__', 'x'], 'There is no --__proto__.'],
    [['--deploy-key', '/nowhere/key'], '--deploy-key: /nowhere/key cannot be read: ENOENT'],
    [['--deploy-key', '-----BEGIN OPENSSH PRIVATE KEY-----'], '--deploy-key takes the name of a file, not the secret'],
  ])('%j', (args, message) => {
    expect(() => read(args)).toThrow(UserError);
    try {
      read(args);
    } catch (error) {
      const { message: said, cure } = error as UserError;
      expect(`${said} ${cure ?? ''}`).toContain(message);
      expect(said + cure).not.toContain('BEGIN');
    }
  });
});

test('the help contains each flag once', () => {
  const text = help('ferry run [flags]', 'All of it.', inputsOfStep.run);
  for (const name of inputsOfStep.run) expect(text.match(new RegExp(`^  --${name}\\b(?!-)`, 'gm'))).toHaveLength(1);
});
