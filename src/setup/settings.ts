import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Nix } from '../nix/index.ts';
import { compareVersions } from '../nix/version.ts';

/** Settings that `nix-conf` may not change, and why. `only` is the one value that is accepted. */
const fixed: Readonly<Record<string, { only: string; why: string }>> = {
  sandbox: { only: 'true', why: 'builds are always isolated.' },
  'build-use-sandbox': { only: 'true', why: 'builds are always isolated.' },
  'sandbox-fallback': {
    only: 'false',
    why: 'without a fallback, a missing sandbox is an error, not a silent risk.',
  },
  'accept-flake-config': {
    only: 'false',
    why: 'a flake could add its own caches and hooks; add them here instead.',
  },
  'allow-unsafe-native-code-during-evaluation': {
    only: 'false',
    why: 'a configuration could run any program here while it is evaluated.',
  },
  'build-users-group': { only: 'nixbld', why: 'builds run as the users in the group nixbld.' },
  builders: { only: '', why: 'remote builders are set by the input `builders`, with their keys and host keys.' },
};

/** Settings that contain secrets. They are written to a file in memory that only the user can read. */
const secret = ['access-tokens', 'extra-access-tokens'];

export interface NixConf {
  /** For the daemon and for the commands. */
  daemon: string;
  /** For the commands alone: tokens. */
  client: string;
  /** The keys in `trusted-public-keys`. */
  trustedPublicKeys: string[];
}

/**
 * Reads the input `nix-conf`, line by line.
 *
 * @param known the names of Nix's settings; null: names are not checked.
 * @throws UserError with the line, for what is not a setting and for what may not be set.
 */
export function parseNixConf(text: string, known: readonly string[] | null): NixConf {
  const daemon: string[] = [];
  const client: string[] = [];
  const trustedPublicKeys: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*$/, '').trim();
    if (content === '') continue;
    const wrong = (message: string, cure?: string): UserError =>
      new UserError(`input 'nix-conf', line ${index + 1}, ${message}`, {
        where: { input: 'nix-conf', line: index + 1 },
        ...(cure === undefined ? {} : { cure }),
      });
    if (/^!?include\s+\S+$/.test(content)) {
      daemon.push(content);
      continue;
    }
    const [, name, value] = /^([a-z][a-z0-9-]*)\s*=\s*(.*)$/.exec(content) ?? [];
    if (name === undefined || value === undefined)
      throw wrong(`is not a setting: ${content}`, 'Write it as name = value.');
    const plain = name.replace(/^extra-(?!platforms$)/, '');
    const rule = fixed[plain];
    if (rule !== undefined && value !== rule.only) throw wrong(`sets ${name}: ${rule.why}`, 'Remove the line.');
    if (known !== null && !known.includes(name) && !known.includes(plain)) {
      const meant = nearest(name, known) ?? nearest(plain, known);
      throw wrong(`sets ${name}, which this Nix does not know.`, meant === null ? undefined : `Did you mean ${meant}?`);
    }
    if (secret.includes(name)) client.push(content);
    else daemon.push(content);
    if (plain === 'trusted-public-keys') trustedPublicKeys.push(...value.split(/\s+/));
  }
  return { daemon: daemon.join('\n'), client: client.join('\n'), trustedPublicKeys };
}

/** The names of all settings of this Nix. */
export async function settingNames(nix: Nix): Promise<string[]> {
  return Object.keys(await showSettings(nix));
}

/** Nix's settings, by name. */
export async function showSettings(nix: Nix): Promise<Record<string, { value: unknown }>> {
  // `nix show-config` was renamed in 2.19.
  const show = compareVersions(nix.installation.version, '2.19') < 0 ? ['show-config'] : ['config', 'show'];
  const { stdout } = await nix.run('nix', [...show, '--json']);
  return JSON.parse(stdout) as Record<string, { value: unknown }>;
}
