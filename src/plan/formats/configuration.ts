import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../errors.ts';

/** Plain configurations, as paths relative to the source's folder: one, which says its host's name itself, or one a host. */
export type Configurations = { single: string } | { hosts: Record<string, string> };

/** configuration.nix in the folder itself, or one in each folder below it, `hosts/` or `machines/`. */
export function configurationsIn(folder: string): Configurations {
  if (existsSync(join(folder, 'configuration.nix'))) return { single: 'configuration.nix' };
  for (const below of ['.', 'hosts', 'machines']) {
    if (!existsSync(join(folder, below))) continue;
    const hosts = readdirSync(join(folder, below), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(join(folder, below, entry.name, 'configuration.nix')))
      .map(entry => [entry.name, join(below, entry.name, 'configuration.nix')] as const);
    if (hosts.length > 0) return { hosts: Object.fromEntries(hosts.sort()) };
  }
  return { hosts: {} };
}

/**
 * The files that were named, at least one; of several each is a host, called after its folder or, where it is not called
 * configuration.nix, after itself.
 *
 * @throws UserError when two of them would be the same host.
 */
export function configurationsNamed(files: readonly string[]): Configurations {
  const [first = '', ...others] = files;
  if (others.length === 0) return { single: first };
  const hosts = new Map<string, string>();
  for (const file of files) {
    const name = basename(file) === 'configuration.nix' ? basename(dirname(file)) : basename(file, '.nix');
    const before = hosts.get(name);
    if (before !== undefined) {
      throw new UserError(`Both ${before} and ${file} would be the host ${JSON.stringify(name)}.`, {
        where: { input: 'source' },
        cure: 'Name files in folders of different names, or files of different names.',
      });
    }
    hosts.set(name, file);
  }
  return { hosts: Object.fromEntries(hosts) };
}

/** Their files. */
export function filesOf(configurations: Configurations): string[] {
  return 'single' in configurations ? [configurations.single] : Object.values(configurations.hosts);
}
