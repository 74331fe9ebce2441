import { input, seconds, secretText } from './input.ts';

/** Inputs that several stages need. Each of these stages lists them in its own `inputs.ts`; no other stage gets them. */

export const githubToken = input(
  '',
  'Token for private flake inputs, artifacts of other runs and the comment.',
  secretText,
  'secret',
);

export const signingKey = input(
  '',
  "Private key in Nix's form `name:base64`. Signs archives, what is saved in the Actions cache, and what is sent to targets with a gate.",
  secretText,
  'secret',
);

/** For commands of every stage. */
export const stallTimeout = input(
  '3600',
  'Seconds without any output after which a command (an evaluation, a build, a copy) is ended.',
  seconds,
);
