// Builds dist/ from src/: one bundle for each entry, chunks beside it. Cleans dist/ first, so that nothing stale stays.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
for (const [entry, out] of [
  ['src/main.ts', 'dist'],
  ['src/post.ts', 'dist/post'],
  ['src/cli.ts', 'dist/cli'],
]) {
  const { status } = spawnSync('npx', ['ncc', 'build', entry, '--out', out, '--license', 'LICENSES.txt'], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
