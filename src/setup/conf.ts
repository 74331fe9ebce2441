import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { SetupRun } from './config.ts';

/** The variable part of the daemon's nix.conf. */
export interface Settings {
  /** Systems that this machine builds for by emulation. */
  extraPlatforms: readonly string[];
  /** Directories of binary caches used as substituters. */
  substituters: readonly string[];
  /** Public keys in Nix's form. */
  trustedPublicKeys: readonly string[];
  /** Whether there are remote builders, listed in `keys/machines`. */
  builders: boolean;
  /** The user's own lines, checked. */
  nixConf: string;
}

/**
 * The daemon's nix.conf: first the machine's own, then ours, then the user's; last the settings that nothing may change.
 *
 * The sandbox has no fallback: if Nix cannot use it, it must fail (NixOS/nix#13928).
 */
export function daemonConf(run: SetupRun, settings: Settings): string {
  const { extraPlatforms, substituters, trustedPublicKeys } = settings;
  return lines([
    '!include /etc/nix/nix.conf',
    'extra-experimental-features = nix-command flakes',
    'max-jobs = auto',
    'cores = 0',
    'connect-timeout = 10',
    'fallback = true',
    `builders = ${settings.builders ? `@${join(run.directory, 'keys/machines')}` : ''}`,
    'builders-use-substitutes = true',
    `allowed-users = ${allowedUsers()}`,
    'trusted-users = root',
    settings.nixConf.trim(),
    ...list('extra-platforms', extraPlatforms),
    ...list('substituters', substituters),
    ...list('trusted-public-keys', trustedPublicKeys),
    'build-users-group = nixbld',
    'sandbox = true',
    'sandbox-fallback = false',
  ]);
}

/** The nix.conf of Nix's commands: the daemon's, and what only evaluation needs. Secrets are in another file. */
export function clientConf(run: SetupRun): string {
  return lines([
    `include ${join(run.directory, 'daemon/nix.conf')}`,
    'accept-flake-config = false',
    `!include ${tokensFile(run)}`,
  ]);
}

/** The file with the token for private flake inputs: in memory, readable only by the user. */
export function tokensFile(run: SetupRun): string {
  return join(run.directory, 'client/access-tokens');
}

export function tokensConf(githubToken: string | null, ofUser: string): string {
  return lines([...(githubToken === null ? [] : [`extra-access-tokens = github.com=${githubToken}`]), ofUser]);
}

/** A user without a name (a number, in a container) can only be allowed together with all others. */
function allowedUsers(): string {
  try {
    return `root ${userInfo().username}`;
  } catch {
    return '*';
  }
}

function list(setting: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`extra-${setting} = ${values.join(' ')}`];
}

function lines(all: readonly string[]): string {
  return all
    .filter(line => line !== '')
    .map(line => `${line}\n`)
    .join('');
}
