import { input, secondsOrNone, type Values } from '../input.ts';
import { stallTimeout } from '../shared-inputs.ts';

export const buildInputs = {
  buildTimeout: input('0', 'Seconds for one build of Nix, such as a kernel. `0`: no limit.', secondsOrNone),
  stallTimeout,
};

export type BuildInputs = Values<typeof buildInputs>;
