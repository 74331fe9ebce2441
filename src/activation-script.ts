import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asset } from './assets.ts';

const main = 'main.sh';

/**
 * The activation script as one text: the files of `target/activation`, with `main.sh`, which calls the others, at the end.
 * It is sent to targets and put into archives.
 */
export function activationScript(): string {
  const directory = asset('target/activation');
  const parts = readdirSync(directory)
    .filter(name => name.endsWith('.sh') && name !== main)
    .sort();
  return [...parts, main].map(name => readFileSync(join(directory, name), 'utf8')).join('');
}
