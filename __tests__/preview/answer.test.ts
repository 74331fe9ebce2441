import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { readAnswer } from '../../src/preview/answer.ts';

const records = [
  'kernel 6.12',
  'system /nix/store/a',
  'file unit ./x.service',
  '|[Unit]',
  '|end',
  '',
  'path 12 /nix/store/a',
  'secret 00ff 11ee /run/keys/a key ',
  'secret 00ff - /run/keys/gone',
  'end',
].join('\n');
const packed = (text: string): string =>
  gzipSync(text)
    .toString('base64')
    .replace(/(.{20})/g, '$1\n');

test.each([
  ['plain', `nix-ferry-description=1 plain\n${records}`],
  ['compressed, after a greeting', `Welcome!\nnix-ferry-description=1 gzip\n${packed(records)}`],
])('%s', (_what, answer) => {
  const machine = readAnswer(answer);
  expect(machine).toMatchObject({ kernel: '6.12', booted: null, profile: null });
  expect(machine?.system.units).toEqual({ 'x.service': '[Unit]\nend\n' });
  expect(machine?.secrets).toEqual([
    { salt: '00ff', digest: '11ee', destination: '/run/keys/a key ' },
    { salt: '00ff', digest: null, destination: '/run/keys/gone' },
  ]);
  expect(machine?.system.closure).toEqual([{ path: '/nix/store/a', bytes: 12 }]);
});

test('a machine without NixOS', () => {
  expect(readAnswer('nix-ferry-description=1 plain\nkernel 6.12\nsystem \nend\n')).toBeNull();
});

test.each([
  ['nothing', '', 'did not describe itself'],
  ['something else', 'bash: sh: command not found\n', 'did not describe itself'],
  [
    'a refusal',
    'nix-ferry-description=1 refused: this key may only describe\n',
    'refused to describe itself: this key',
  ],
  ['a part', `nix-ferry-description=1 plain\n${records.slice(0, -4)}`, 'was cut'],
  ['a compressed part', `nix-ferry-description=1 gzip\n${packed(records).slice(0, 60)}`, 'was cut'],
])('%s is an error', (_what, answer, message) => {
  expect(() => readAnswer(answer)).toThrow(message);
});
