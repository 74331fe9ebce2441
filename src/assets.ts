import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The absolute path of a file of this repository that is not TypeScript (`nix/probe.nix`, `target/…sh`).
 * Works from `src/` and from a bundle in `dist/`, at any depth.
 *
 * @param path relative to the root of the repository.
 * @throws Error if the file is missing: the checkout of the action is broken.
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
