import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configurationsNamed } from '../../src/plan/formats/configuration.ts';
import { locate } from '../../src/plan/locate.ts';

const folder = mkdtempSync(join(tmpdir(), 'locate-'));
const before = process.cwd();

beforeAll(() => {
  for (const name of ['infra/ec2', 'infra-2', 'a, b']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of [
    'network.nix',
    'infra/network.nix',
    'infra/ec2/physical.nix',
    'infra-2/other.nix',
    'a, b/x.nix',
  ]) {
    writeFileSync(join(folder, name), '{ }');
  }
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test.each<[string, string, string[]]>([
  ['.', '', []],
  ['./infra', 'infra', []],
  ['infra/network.nix', 'infra', ['network.nix']],
  ['infra/network.nix, infra/ec2/physical.nix', 'infra', ['network.nix', 'ec2/physical.nix']],
  ['infra/ec2/physical.nix\ninfra/network.nix\n', 'infra', ['ec2/physical.nix', 'network.nix']],
  ['infra/network.nix,infra-2/other.nix', '', ['infra/network.nix', 'infra-2/other.nix']],
  ['network.nix,infra-2/other.nix', '', ['network.nix', 'infra-2/other.nix']],
  ['a, b', 'a, b', []],
  ['a, b/x.nix', 'a, b', ['x.nix']],
])('%j', (text, source, files) => {
  expect(locate(text)).toEqual({ source: join(folder, source), files });
});

test.each<[string, string]>([
  ['nowhere', 'There is no folder FOLDER/nowhere.'],
  ['infra/netwrok.nix', 'There is no file FOLDER/infra/netwrok.nix.'],
  ['network.nix, gone.nix', 'There is no file FOLDER/gone.nix.'],
  ['infra, infra', 'The folder FOLDER/infra is named twice.'],
  ['infra, infra-2', 'The folder FOLDER/infra is named together with FOLDER/infra-2.'],
  ['network.nix, infra', 'The folder FOLDER/infra is named together with FOLDER/network.nix.'],
  ['network.nix\n./network.nix', 'The file FOLDER/network.nix is named twice.'],
])('%j is one error', (text, message) => {
  expect(() => locate(text)).toThrow(
    expect.objectContaining({ message: message.replaceAll('FOLDER', folder), where: { input: 'source' } }),
  );
});

test('named configurations', () => {
  expect(configurationsNamed(['hosts/router.nix'])).toEqual({ single: 'hosts/router.nix' });
  const hosts = { web: 'web/configuration.nix', router: 'router.nix' };
  expect(configurationsNamed(Object.values(hosts))).toEqual({ hosts });
  expect(() => configurationsNamed(['a/web.nix', 'b/web.nix'])).toThrow(
    'Both a/web.nix and b/web.nix would be the host "web".',
  );
});
