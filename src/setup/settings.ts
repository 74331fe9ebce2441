import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { compareVersions } from '../nix/version.ts';

/** What may not be set by `nix-conf`, and why. The value given is the only one that is let through. */
const fixed: Readonly<Record<string, { only: string; why: string }>> = {
  sandbox: { only: 'true', why: 'builds are isolated, always.' },
  'build-use-sandbox': { only: 'true', why: 'builds are isolated, always.' },
  'sandbox-fallback': {
    only: 'false',
    why: 'without a fallback, a missing sandbox is an error instead of a silent risk.',
  },
  'accept-flake-config': {
    only: 'false',
    why: 'a flake could bring caches and hooks of its own; name these here instead.',
  },
  'build-users-group': { only: 'nixbld', why: 'builds run as the users of nixbld.' },
  builders: { only: '', why: 'remote builders go into the input `builders`, with key and host key.' },
};

/** Settings with secrets: they go to a file in memory that only the user can read. */
const secret = ['access-tokens', 'extra-access-tokens'];

export interface NixConf {
  /** For the daemon and for the commands. */
  daemon: string;
  /** For the commands alone: tokens. */
  client: string;
  /** Keys that the user trusts besides. */
  trustedPublicKeys: string[];
}

/**
 * Reads the input `nix-conf`, line by line.
 *
 * @param known the names of Nix's settings, null: not asked.
 * @throws UserError with the line for what is no setting, and for what may not be set.
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
    if (name === undefined || value === undefined) throw wrong(`is no setting: ${content}`, 'Write name = value.');
    const plain = name.replace(/^extra-(?!platforms$)/, '');
    const rule = fixed[plain];
    if (rule !== undefined && value !== rule.only) throw wrong(`sets ${name}: ${rule.why}`, 'Leave the line out.');
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
export async function settingNames(installation: NixInstallation, context: Context): Promise<string[]> {
  return Object.keys(await showSettings(installation, context));
}

/** What Nix says of its settings, by name. */
export async function showSettings(
  installation: NixInstallation,
  context: Context,
): Promise<Record<string, { value: unknown }>> {
  const nix = new Nix(context, installation);
  // `nix show-config` was renamed in 2.19.
  const show = compareVersions(installation.version, '2.19') < 0 ? ['show-config'] : ['config', 'show'];
  const { stdout } = await nix.run('nix', [...show, '--json']);
  return JSON.parse(stdout) as Record<string, { value: unknown }>;
}
