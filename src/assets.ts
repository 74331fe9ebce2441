import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The absolute path of a file of ours that is no TypeScript (`nix/probe.nix`, `target/…sh`), given relative to the
 * repository's root. Works from `src/` and from a bundle in `dist/`, however deep.
 *
 * @throws Error when the file is not there: a broken checkout of the action.
 */
export function asset(path: string): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(directory, path);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`${path} is missing from this checkout of Nix Ferry`);
    directory = parent;
  }
}
