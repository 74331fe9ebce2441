// Builds dist/ from src/: one bundle, and a program for each entry (see src/index.ts). Removes the old dist/ first.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ncc from '@vercel/ncc';

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
const { code, assets } = await ncc(resolve('src/index.ts'), {
  cache: false,
  esm: true,
  license: 'LICENSES.txt',
  quiet: true,
  // Otherwise ncc treats `join(source, 'flake.nix')` as a file of this repository, copies it and rewrites the call.
  filterAssetBase: resolve('dist'),
});
const files = { 'ferry.js': code, 'package.json': '{"type":"module"}\n' };
for (const [name, { source }] of Object.entries(assets)) files[name] = source;
const programs = {
  index: 'run',
  setup: 'setup',
  plan: 'plan',
  deploy: 'deploy',
  comment: 'comment',
  post: 'post',
  cli: 'cli',
};
for (const [name, program] of Object.entries(programs)) {
  const head = name === 'cli' ? '#!/usr/bin/env node\n' : '';
  files[`${name}.js`] = `${head}import { start } from './ferry.js';\nawait start('${program}');\n`;
}
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join('dist', name), text, { mode: name === 'cli.js' ? 0o755 : 0o644 });
}
