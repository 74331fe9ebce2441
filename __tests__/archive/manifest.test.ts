import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Manifest } from '../../src/archive/archive.ts';
import {
  manifestDigest,
  optional,
  parseManifest,
  pathShape,
  shape,
  writeManifest,
} from '../../src/archive/manifest.ts';

const toplevel = '/nix/store/0c2y0wpmmbn3n0xcl7wjkzlyfl90xp4x-nixos-system-web1';
const glibc = '/nix/store/1b3y0wpmmbn3n0xcl7wjkzlyfl90xp4x-glibc-2.40';
const narHash = `sha256-${'A'.repeat(43)}=`;

const bare = {
  version: 1 as const,
  kind: 'delta' as const,
  host: 'web1',
  hostName: 'web1',
  system: 'x86_64-linux',
  toplevel,
  publicKey: null,
  commit: 'a'.repeat(40),
  repository: 'someone/fleet',
  branch: 'main',
  committed: 1_700_000_000,
  producer: 'nix-ferry 0.1.0',
  nixVersion: '2.8.0',
  nixpkgs: null,
  source: null,
  sums: `sha256:${'0'.repeat(64)}`,
  paths: [
    { path: toplevel, narHash, narSize: 1000, inside: true, cache: null },
    { path: glibc, narHash, narSize: 30_000_000, inside: false, cache: 'cache.nixos.org-1' },
  ],
};
const manifest: Manifest = { ...bare, digest: manifestDigest(bare) };

test('a manifest is read as it was written', () => {
  expect(parseManifest(writeManifest(manifest), 'manifest.json')).toEqual(manifest);
});

test('a manifest of an older release, without branch and time of the commit, is read', () => {
  const { branch: _, committed: __, ...older } = manifest;
  const text = writeManifest(older);
  expect(text).not.toContain('committed');
  expect(parseManifest(text, 'manifest.json')).toEqual(older);
});

test('each field and each path has its own line, for the installer', () => {
  const lines = writeManifest(manifest).split('\n');
  expect(lines).toContain(` "toplevel": "${toplevel}",`);
  expect(lines).toContain(
    `  {"path":"${glibc}","narHash":"${narHash}","narSize":30000000,"inside":false,"cache":"cache.nixos.org-1"}`,
  );
});

test('the digest covers the closure, not its provenance', () => {
  expect(manifestDigest({ ...manifest, commit: 'b'.repeat(40), nixVersion: '2.30.0' } as Manifest)).toBe(
    manifest.digest,
  );
  expect(manifestDigest({ ...manifest, host: 'web2' })).not.toBe(manifest.digest);
  const [first, second] = manifest.paths as [Manifest['paths'][0], Manifest['paths'][0]];
  const other = { ...first, narHash: `sha256-${'B'.repeat(43)}=` };
  expect(manifestDigest({ ...manifest, paths: [other, second] })).not.toBe(manifest.digest);
});

test.each<[string, (text: string) => string, RegExp]>([
  ['no JSON', text => text.slice(1), /not JSON/],
  ['another version', text => text.replace('"version": 1', '"version": 2'), /version 2.*reads version 1/],
  ['a missing field', text => text.replace(' "system": "x86_64-linux",\n', ''), /"system" is missing/],
  [
    'a toplevel elsewhere',
    text => text.replace(/"toplevel": "[^"]*"/, '"toplevel": "/etc/passwd"'),
    /"toplevel" is wrong/,
  ],
  ['a path elsewhere', text => text.replace(glibc, '/nix/store/../../etc'), /"path" of path 2 is wrong/],
  ['a negative size', text => text.replace('30000000', '-1'), /"narSize" of path 2/],
  ['an invalid time', text => text.replace('1700000000', '"today"'), /"committed" is wrong/],
  ['a changed hash', text => text.replace(`"${narHash}"`, `"sha256-${'C'.repeat(43)}="`), /digest/],
  ['a changed host', text => text.replace('"host": "web1"', '"host": "web2"'), /digest/],
])('%s is refused, and the error names it', (_, spoil, message) => {
  const text = writeManifest(manifest);
  expect(spoil(text)).not.toBe(text);
  expect(() => parseManifest(spoil(text), 'manifest.json')).toThrow(message);
});

test('the schema names the fields and forms that are checked', () => {
  const file = new URL('../../schemas/manifest-1.json', import.meta.url);
  const schema = JSON.parse(readFileSync(file, 'utf8'));
  const fields = Object.keys(schema.properties);
  expect(schema.required).toEqual(fields.filter(field => !optional.includes(field)));
  expect(new Set(fields)).toEqual(new Set(['version', ...Object.keys(shape)]));
  expect(schema.properties.paths.items.required).toEqual(Object.keys(pathShape));
  // In the order of the file.
  const written = writeManifest(manifest)
    .match(/^ "\w+"/gm)
    ?.map(field => field.slice(2, -1));
  expect(written).toEqual(fields);
  const storePath = new RegExp(schema.$defs.storePath.pattern);
  for (const path of [toplevel, glibc, '/etc/passwd', '/nix/store/../x', `${glibc}/bin`]) {
    expect(pathShape.path(path)).toBe(storePath.test(path));
  }
  const narHashes = new RegExp(schema.properties.paths.items.properties.narHash.pattern);
  for (const hash of [narHash, 'sha256:abc', `${narHash}x`]) expect(pathShape.narHash(hash)).toBe(narHashes.test(hash));
});
