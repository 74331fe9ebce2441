import { join } from 'node:path';
import { fileAdapter, flakeAdapter, isFlake } from './adapter.ts';
import { type FormatDefinition, isNetwork } from './format.ts';

/** Settings in `network` that only NixOps has. */
const settings = ['nixpkgs', 'storage', 'lock', 'enableRollback'];

/** NixOps, version 1 and 2: one or several network files, or a flake's `nixopsConfigurations`. */
export const nixops: FormatDefinition = {
  mainFiles: ['nixops.nix', 'network.nix'],
  flakeOutputs: ['nixopsConfigurations'],
  severalFiles: true,
  arguments: true,
  pinNearby: 'optional',
  signs(file) {
    if (!isNetwork(file)) return null;
    return [
      ...file.network.filter(name => settings.includes(name)).map(name => `network.${name}`),
      ...file.attributes.filter(name => name === 'resources' || name === 'require'),
      ...(file.isFunction ? ['a function of arguments'] : []),
    ];
  },
  adapter(main, source) {
    const { arguments: given } = source.inputs;
    if (isFlake(main)) return flakeAdapter('nixops', source, { arguments: given });
    const files = source.files.length > 0 ? source.files : [main];
    return fileAdapter('nixops', source, { files: files.map(file => join(source.folder, file)), arguments: given });
  },
};
