// Builds dist/ from src/: the action's bundle, the command line's, and a program for each step of the action, which
// differ in their names alone (see src/index.ts). Cleans dist/ first, so that nothing stale stays.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ncc from '@vercel/ncc';

rmSync('dist', { recursive: true, force: true });
for (const [entry, out] of [
  ['src/index.ts', 'dist'],
  ['src/cli.ts', 'dist/cli'],
]) {
  const { code, assets } = await ncc(resolve(entry), {
    cache: false,
    esm: true,
    license: 'LICENSES.txt',
    quiet: true,
    // Else ncc takes `join(source, 'flake.nix')` for a file of ours, copies what is called so and rewrites the call.
    filterAssetBase: resolve('dist'),
  });
  const files = { 'index.js': { source: code }, 'package.json': { source: '{"type":"module"}\n' }, ...assets };
  for (const [name, { source }] of Object.entries(files)) {
    const file = join(out, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
}
for (const step of ['setup', 'plan', 'deploy', 'post']) writeFileSync(`dist/${step}.js`, "import './index.js';\n");
writeFileSync('dist/cli.js', "#!/usr/bin/env node\nimport './cli/index.js';\n", { mode: 0o755 });
