import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { detect } from '../../src/plan/formats/detect.ts';
import type { Source } from '../../src/plan/source.ts';

const scratch = mkdtempSync(join(tmpdir(), 'elsewhere-'));
afterAll(() => rmSync(scratch, { recursive: true }));

// Without a usual file, Nix is not needed.
test.each<[string[], string]>([
  [['colmena.nix', 'web.nix'], 'It contains colmena.nix: write for example `source: colmena.nix`. '],
  [['nix/hive.nix', 'README.md'], 'It contains nix/hive.nix: write for example `source: nix/hive.nix`. '],
  [
    ['systems/a/configuration.nix', 'systems/b/configuration.nix'],
    'It contains systems/a/configuration.nix, systems/b/configuration.nix: write for example `source: systems/a/configuration.nix`. ',
  ],
  [['server.nix'], 'It contains server.nix: write for example `source: server.nix`. '],
  [['.git/flake.nix'], ''],
])('a folder with %j', async (files, hint) => {
  const folder = mkdtempSync(join(scratch, 'source-'));
  for (const file of files) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), '{ }');
  }
  await expect(detect({ folder, files: [] } as unknown as Source)).rejects.toMatchObject({
    message: `No NixOS configuration was found in ${folder}.`,
    cure: expect.stringMatching(new RegExp(`^${hint.replace(/[.*+?^$]/g, '\\$&')}Set \`source\``)),
  });
});
