import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PathInfo } from '../nix/index.ts';
import { type EtcEntry, fileNames, partNames, type SystemDescription } from './description.ts';

/** Files of /etc whose text is left out, as in target/describe.sh. */
const secretName = /shadow|secret|passw|key|token|credential/;

/** Bytes of the largest file of /etc whose text is kept, as in target/describe.sh. */
const largestText = 16 * 512;

/** A system that was built here, with what only its own scripts know. */
export interface BuiltSystem extends SystemDescription {
  /** Whether its activation script asks for restarts or reloads of units, which nothing but running it can predict. */
  restartsByActivation: boolean;
  fstab: string;
}

/**
 * Describes a system that was built, from its files in the local store. Links that lead out of the store are not followed: a
 * branch that is not trusted yet could have a file of this machine shown.
 */
export async function describeBuilt(toplevel: string, closure: readonly PathInfo[]): Promise<BuiltSystem> {
  const store = new StoreReader(dirname(toplevel));
  const etc = join(toplevel, 'etc');
  const [parts, files, units, entries, accounts, firewall, fstab, restartsByActivation] = await Promise.all([
    readParts(store, toplevel),
    readFiles(store, toplevel),
    readUnits(store, join(etc, 'systemd/system')),
    readEtc(store, etc),
    readAccounts(store, closure),
    readFirewall(store, closure),
    store.text(join(etc, 'fstab')),
    asksForRestarts(store, toplevel),
  ]);
  return {
    toplevel,
    closure: closure.map(({ path, narSize }) => ({ path, bytes: narSize })),
    ...{ parts, files, ...units, etc: entries, ...accounts, firewall },
    fstab: fstab ?? '',
    restartsByActivation,
  };
}

/** Reads files whose real place is in the store. */
class StoreReader {
  readonly #store: string;

  constructor(store: string) {
    this.#store = store;
  }

  /** Where a path really is; null if that is not in the store. /dev/null masks a unit. */
  async real(path: string): Promise<string | null> {
    const real = await realpath(path).catch(() => null);
    return real !== null && (real.startsWith(`${this.#store}/`) || real === '/dev/null') ? real : null;
  }

  async bytes(path: string): Promise<Buffer | null> {
    const real = await this.real(path);
    return real === null || real === '/dev/null' ? null : readFile(real).catch(() => null);
  }

  async text(path: string): Promise<string | null> {
    return (await this.bytes(path))?.toString() ?? null;
  }

  /** Names in a directory, sorted; none if it is not one in the store. */
  async names(path: string): Promise<string[]> {
    const real = await this.real(path);
    return real === null ? [] : (await readdir(real).catch(() => [])).sort();
  }
}

async function readParts(store: StoreReader, toplevel: string): Promise<Record<string, string>> {
  const parts = await Promise.all(partNames.map(async name => [name, await store.real(join(toplevel, name))] as const));
  return Object.fromEntries(parts.filter((part): part is [(typeof partNames)[number], string] => part[1] !== null));
}

async function readFiles(store: StoreReader, toplevel: string): Promise<Record<string, string>> {
  const files = await Promise.all(fileNames.map(async name => [name, await store.text(join(toplevel, name))] as const));
  return Object.fromEntries(files.flatMap(([name, text]) => (text === null ? [] : [[name, text.trimEnd()]])));
}

async function readUnits(store: StoreReader, directory: string): Promise<Pick<SystemDescription, 'units' | 'wants'>> {
  const units: Record<string, string | null> = {};
  const wants: string[] = [];
  const read = async (name: string): Promise<void> => {
    const real = await store.real(join(directory, name));
    if (real === '/dev/null') units[name] = null;
    else if (real !== null && (await stat(real)).isFile())
      units[name] = withLastNewline((await store.text(real)) ?? '');
  };
  await Promise.all(
    (await store.names(directory)).map(async name => {
      const inside = async (): Promise<string[]> =>
        (await store.names(join(directory, name))).map(each => `${name}/${each}`);
      if (name.endsWith('.d')) await Promise.all((await inside()).filter(each => each.endsWith('.conf')).map(read));
      else if (/\.(wants|requires|upholds)$/.test(name)) wants.push(...(await inside()));
      else await read(name);
    }),
  );
  return { units, wants: wants.sort() };
}

async function readEtc(store: StoreReader, directory: string): Promise<Record<string, EtcEntry>> {
  const real = await store.real(directory);
  if (real === null) return {};
  const entries = (await readdir(real, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isSymbolicLink() || entry.isFile())
    .map(entry => ({ link: entry.isSymbolicLink(), path: join(entry.parentPath, entry.name) }))
    .map(({ link, path }) => ({ link, path, name: path.slice(real.length + 1) }))
    .filter(({ name }) => !name.startsWith('systemd/system/'));
  const read = async ({ link, path }: (typeof entries)[number]): Promise<EtcEntry> => ({
    target: link ? await readlink(path) : null,
    ...contentOf(await store.bytes(path), secretName.test(basename(path))),
  });
  return Object.fromEntries(await Promise.all(entries.map(async entry => [entry.name, await read(entry)] as const)));
}

function contentOf(bytes: Buffer | null, secret: boolean): Pick<EtcEntry, 'hash' | 'text'> {
  if (bytes === null) return { hash: null, text: null };
  const hash = createHash('sha256').update(bytes).digest('hex');
  const shown = bytes.length === 0 || (!secret && bytes.length <= largestText && !bytes.includes(0));
  const text = shown ? withLastNewline(bytes.toString()) : null;
  return { hash, text };
}

/** As awk prints a file. */
function withLastNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

async function readAccounts(
  store: StoreReader,
  closure: readonly PathInfo[],
): Promise<Pick<SystemDescription, 'users' | 'groups'>> {
  const path = closure.find(info => /-(users-groups|userborn)\.json$/.test(info.path))?.path;
  const text = path === undefined ? null : await store.text(path);
  if (text === null) return { users: null, groups: null };
  const { users = [], groups = [] } = JSON.parse(text) as Partial<Record<'users' | 'groups', { name: string }[]>>;
  const names = (accounts: { name: string }[]): string[] => accounts.map(({ name }) => name);
  return { users: names(users), groups: names(groups) };
}

async function readFirewall(store: StoreReader, closure: readonly PathInfo[]): Promise<string[] | null> {
  const path = closure.find(info => /-(firewall-start|nftables-rules)$/.test(info.path))?.path;
  if (path === undefined) return null;
  const text = (await store.text(path)) ?? (await store.text(join(path, 'bin/firewall-start'))) ?? '';
  const lines = text.split('\n').filter(line => line.includes('dport'));
  return lines.length === 0 ? null : lines;
}

async function asksForRestarts(store: StoreReader, toplevel: string): Promise<boolean> {
  const scripts = await Promise.all(['activate', 'dry-activate'].map(name => store.text(join(toplevel, name))));
  return scripts.some(script => /activation-(restart|reload)-list/.test(script ?? ''));
}
