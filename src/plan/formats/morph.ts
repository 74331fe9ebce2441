import { join } from 'node:path';
import { fileAdapter } from './adapter.ts';
import { type FormatDefinition, isNetwork } from './format.ts';

/** Settings in `network` that only morph has. */
const settings = ['pkgs', 'evalConfig', 'lib', 'runCommand', 'specialArgs', 'ordering', 'nixConfig', 'buildShell'];

/** morph: network.nix or morph.nix. */
export const morph: FormatDefinition = {
  mainFiles: ['network.nix', 'morph.nix'],
  signs(file) {
    if (!isNetwork(file)) return null;
    return file.network.filter(name => settings.includes(name)).map(name => `network.${name}`);
  },
  adapter: (main, source) => fileAdapter('morph', source, { file: join(source.folder, main) }),
  tagOrder: ({ order }) => (Array.isArray(order) ? order.filter(tag => typeof tag === 'string') : []),
};
