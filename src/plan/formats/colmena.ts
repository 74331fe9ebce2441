import { join } from 'node:path';
import { fileAdapter, flakeAdapter, isFlake } from './adapter.ts';
import type { FormatDefinition } from './format.ts';

/** colmena: hive.nix, or a flake's `colmenaHive` or the older `colmena`. */
export const colmena: FormatDefinition = {
  mainFiles: ['hive.nix'],
  flakeOutputs: ['colmenaHive', 'colmena'],
  signs: ({ attributes }) => (attributes.includes('meta') ? ['meta'] : null),
  adapter: (main, source) =>
    isFlake(main)
      ? flakeAdapter('colmena', source)
      : fileAdapter('colmena', source, { file: join(source.folder, main) }),
};
