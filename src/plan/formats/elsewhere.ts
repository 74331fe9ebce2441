import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders below a source that are looked at. */
const depth = 3;

/** Names of files that `source` may name although they are not found by themselves. */
const alsoUsual = ['colmena.nix', 'hosts.nix', 'machines.nix', 'deploy.nix'];

/**
 * Files in and below a folder that `source` could have meant, for an error: those with a usual name, or else all Nix files of
 * the folder itself. Relative to the folder, at most five, those nearest to it first.
 */
export function elsewhere(folder: string, usual: readonly string[]): string[] {
  const names = [...usual, ...alsoUsual];
  const found: string[] = [];
  let level = [''];
  for (let i = 0; i < depth && level.length > 0; i++) {
    const next: string[] = [];
    for (const below of level) {
      const entries = readdirSync(join(folder, below), { withFileTypes: true });
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = join(below, entry.name);
        if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') next.push(path);
        else if (names.includes(entry.name)) found.push(path);
      }
    }
    level = next;
  }
  const others = found.length > 0 ? found : readdirSync(folder).filter(name => name.endsWith('.nix'));
  return others.slice(0, 5);
}
