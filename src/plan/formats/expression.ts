import { join } from 'node:path';
import { attributePath } from '../attribute-path.ts';
import { fallbackName, fileAdapter } from './adapter.ts';
import type { FormatDefinition } from './format.ts';

/** Any Nix file with an attribute path to a NixOS system or a set of them. */
export const expression: FormatDefinition = {
  mainFiles: ['nixos.nix', 'default.nix'],
  generic: true,
  attribute: true,
  arguments: true,
  adapter(main, source) {
    const { folder, inputs } = source;
    return fileAdapter('expression', source, {
      file: join(folder, main),
      attribute: attributePath(inputs.attribute),
      fallback: fallbackName(folder),
      arguments: inputs.arguments,
    });
  },
};
