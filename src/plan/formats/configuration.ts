import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../errors.ts';
import { fallbackName, fileAdapter } from './adapter.ts';
import type { FormatDefinition } from './format.ts';

/** Plain configuration.nix files and one pinned nixpkgs. */
export const configuration: FormatDefinition = {
  mainFiles: ['configuration.nix', 'hosts/*/configuration.nix'],
  generic: true,
  severalFiles: true,
  pinNearby: 'required',
  find: folder => filesOf(configurationsIn(folder)),
  adapter(_main, source) {
    const { folder, files } = source;
    const configurations = files.length > 0 ? configurationsNamed(files) : configurationsIn(folder);
    if ('single' in configurations) {
      const single = join(folder, configurations.single);
      return fileAdapter('configuration', source, { single, fallback: fallbackName(folder) });
    }
    const fileOf = Object.entries(configurations.hosts).map(([host, file]) => [host, join(folder, file)]);
    return fileAdapter('configuration', source, { single: null, fileOf: Object.fromEntries(fileOf) });
  },
};

/** Plain configurations, relative to the source's folder: a single one, which defines its host's name itself, or one per host. */
export type Configurations = { single: string } | { hosts: Record<string, string> };

/** configuration.nix in the folder itself, or one in each of its folders, of `hosts/` or of `machines/`. */
export function configurationsIn(folder: string): Configurations {
  if (existsSync(join(folder, 'configuration.nix'))) return { single: 'configuration.nix' };
  for (const below of ['.', 'hosts', 'machines']) {
    if (!statSync(join(folder, below), { throwIfNoEntry: false })?.isDirectory()) continue;
    const hosts = readdirSync(join(folder, below), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(join(folder, below, entry.name, 'configuration.nix')))
      .map(entry => [entry.name, join(below, entry.name, 'configuration.nix')] as const);
    if (hosts.length > 0) return { hosts: Object.fromEntries(hosts.sort()) };
  }
  return { hosts: {} };
}

/**
 * The files named by the input `source`, at least one. Of several files each is a host; it has the name of its folder if the
 * file is called configuration.nix, and otherwise the name of the file.
 *
 * @throws UserError if two of them would be the same host.
 */
export function configurationsNamed(files: readonly string[]): Configurations {
  const [first = '', ...others] = files;
  if (others.length === 0) return { single: first };
  const hosts = new Map<string, string>();
  for (const file of files) {
    const name = basename(file) === 'configuration.nix' ? basename(dirname(file)) : basename(file, '.nix');
    const other = hosts.get(name);
    if (other !== undefined) {
      throw new UserError(`Both ${other} and ${file} would be the host ${JSON.stringify(name)}.`, {
        where: { input: 'source' },
        cure: 'Give the files or their folders different names.',
      });
    }
    hosts.set(name, file);
  }
  return { hosts: Object.fromEntries(hosts) };
}

function filesOf(configurations: Configurations): string[] {
  return 'single' in configurations ? [configurations.single] : Object.values(configurations.hosts);
}
