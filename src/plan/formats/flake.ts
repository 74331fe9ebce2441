import { checkIsFlake, flakeAdapter } from './adapter.ts';
import type { FormatDefinition } from './format.ts';

/** A flake's `nixosConfigurations`. Flakes of the deployment tools have this output too, as their own input. */
export const flake: FormatDefinition = {
  mainFiles: [],
  flakeOutputs: ['nixosConfigurations'],
  generic: true,
  adapter(main, source) {
    checkIsFlake('flake', main);
    return flakeAdapter('flake', source);
  },
};
