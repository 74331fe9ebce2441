import { UserError } from '../errors.ts';
import { input, optional, type Values, words, yesOrNo } from '../input.ts';
import { readNixKey, readSshKey, type SshKey } from './keys.ts';

/** The flags of `ferry target-setup`, named like the options of `services.nix-ferry.gate` (target/gate.nix). */
export const targetSetupInputs = {
  gateDeployKeys: input(
    '',
    'Public SSH keys that may deploy what was signed for the machine, one a line.',
    sshKeys,
    'long',
  ),
  gatePreviewKeys: input('', 'Public SSH keys that may only ask what the machine runs, one a line.', sshKeys, 'long'),
  gateSigningKeys: input(
    '',
    "Public keys in Nix's form: the public halves of the keys that sign what may be deployed.",
    nixKeys,
    'long',
  ),
  gateCacheKeys: input(
    'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=',
    "Public keys in Nix's form that may sign the other paths of a system, such as those of caches.",
    nixKeys,
    'long',
  ),
  /** Null: the name that `targets` has, or that the machine itself has. */
  gateHost: input('', 'The name of the machine in the repository, if it is not its own name.', hostName),
  gateAllowOlder: input('false', 'Accept a system whose commit is older than that of the one deployed last.', yesOrNo),
  remove: input('false', 'Take away what an earlier `ferry target-setup` has made.', yesOrNo),
};

export type TargetSetupInputs = Values<typeof targetSetupInputs>;

function sshKeys(text: string): SshKey[] {
  const lines = text.split(/\r?\n/).map(line => line.trim());
  // A private key, in which each line would be a mistake of its own.
  if (/PRIVATE KEY/.test(text)) {
    throw new UserError('this is a private key.', { cure: 'Give its public half: the file that ends in `.pub`.' });
  }
  return lines.filter(line => line !== '' && !line.startsWith('#')).map(readSshKey);
}

function nixKeys(text: string): string[] {
  return words(text).map(readNixKey);
}

function hostName(text: string): string | null {
  const name = optional(text);
  if (name === null || !/\p{Cc}/u.test(name)) return name;
  throw new UserError('a name has no control characters.');
}
