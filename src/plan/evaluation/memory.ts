import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** Where Linux says which cgroup a process is in, and where cgroups are mounted. */
const proc = { cgroup: '/proc/self/cgroup', mountinfo: '/proc/self/mountinfo' };

/** The files of one version of cgroups: the limit, what is used, and the statistics with the part that is only a cache. */
const versions = [
  {
    type: 'cgroup2',
    controller: '',
    limit: 'memory.max',
    used: 'memory.current',
    cache: /^(?:in)?active_file (\d+)$/gm,
  },
  {
    type: 'cgroup',
    controller: 'memory',
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: /^total_(?:in)?active_file (\d+)$/gm,
  },
] as const;
type Version = (typeof versions)[number];

/**
 * Bytes that this process and its children may still use: the machine's free memory or, in a container with a limit, what is
 * left of that. The kernel ends processes beyond a limit, however much memory the machine has.
 */
export async function availableMemory(): Promise<number> {
  const [cgroups, mounts] = await Promise.all([textOf(proc.cgroup), textOf(proc.mountinfo)]);
  const left = await Promise.all(
    versions.map(async version => {
      const folders = foldersOf(version, cgroups, mounts);
      return Promise.all(folders.map(folder => leftIn(folder, version)));
    }),
  );
  return Math.max(0, Math.min(freemem(), ...left.flat()));
}

/**
 * The folders of the process' cgroup and of those that contain it, as far as they are mounted.
 *
 * @param cgroups lines `<id>:<controllers>:<path>`, cgroups(7). @param mounts of proc_pid_mountinfo(5).
 */
export function foldersOf(
  { type, controller }: Pick<Version, 'type' | 'controller'>,
  cgroups: string,
  mounts: string,
): string[] {
  const own = cgroups.split('\n').map(line => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  const path = own.find(([, controllers]) => controllers?.split(',').includes(controller))?.[2];
  for (const line of path === undefined ? [] : mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [found, , options = ''] = after.split(' ');
    if (found !== type || (controller !== '' && !options.split(',').includes(controller))) continue;
    // A container may see the mount of its own cgroup only, and the path of that on the machine.
    const inside = relative(root, path ?? '');
    return upTo(point, inside.startsWith('..') ? point : join(point, inside));
  }
  return [];
}

/** The folders from `folder` up to `top`, both included. */
function upTo(top: string, folder: string): string[] {
  return folder === top || folder === dirname(folder) ? [folder] : [folder, ...upTo(top, dirname(folder))];
}

/** Bytes that are left of a cgroup's limit; infinite without one. Cached files are given up if memory is short. */
export async function leftIn(folder: string, { limit, used, cache }: Version): Promise<number> {
  const [most, now, statistics] = await Promise.all(
    [limit, used, 'memory.stat'].map(file => textOf(join(folder, file))),
  );
  const bytes = Number.parseInt(most ?? '', 10);
  if (Number.isNaN(bytes)) return Number.POSITIVE_INFINITY;
  const cached = Array.from((statistics ?? '').matchAll(cache), ([, amount]) => Number(amount));
  return bytes - (Number.parseInt(now ?? '', 10) || 0) + cached.reduce((sum, amount) => sum + amount, 0);
}

/** Empty for a file that does not exist, for example on macOS. */
function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
