// Builds dist/ from src/: one bundle, and the programs that start it as what they are (see src/index.ts). Cleans dist/
// first, so that nothing stale stays.
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
  // Else ncc takes `join(source, 'flake.nix')` for a file of ours, copies what is called so and rewrites the call.
  filterAssetBase: resolve('dist'),
});
const files = { 'ferry.js': code, 'package.json': '{"type":"module"}\n' };
for (const [name, { source }] of Object.entries(assets)) files[name] = source;
const programs = { index: 'run', setup: 'setup', plan: 'plan', deploy: 'deploy', post: 'post', cli: 'cli' };
for (const [name, program] of Object.entries(programs)) {
  const head = name === 'cli' ? '#!/usr/bin/env node\n' : '';
  files[`${name}.js`] = `${head}import { start } from './ferry.js';\nawait start('${program}');\n`;
}
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join('dist', name), text, { mode: name === 'cli.js' ? 0o755 : 0o644 });
}
