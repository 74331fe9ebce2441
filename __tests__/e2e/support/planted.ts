import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import { childrenOf, type Machine, repository } from './machine.ts';
import { type Runner, work } from './runner.ts';

/** A secret that was found in a process: `environ` or `cmdline`, and the name of the program. */
export interface ProcessLeak {
  place: string;
  process: string;
}

/** The parts of secrets to search for: each line, since a part of a key is a leak too, but what all keys of OpenSSH have. */
export function pieces(secrets: readonly string[]): string[] {
  const common = /^(-----|b3BlbnNzaC1rZXktdjEA)/;
  return secrets.flatMap(secret => secret.split('\n')).filter(piece => piece.length >= 8 && !common.test(piece));
}

/**
 * Searches the initial environments and the arguments of all processes of a runner while `work` runs. The step itself
 * gets its inputs in its environment; it counts as soon as its scratch directory exists.
 */
export async function watchProcesses<T>(
  runner: Runner,
  secrets: readonly string[],
  during: () => Promise<T>,
): Promise<{ result: T; leaks: ProcessLeak[] }> {
  const script = join(repository, '__tests__/e2e/support/fixtures/watch-processes.mjs');
  const entered = runner.machine.enter([work.node24, script], { user: 'root' });
  const child = spawn('nsenter', entered, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
  let printed = '';
  const started = new Promise<void>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the watch ended with ${code}`)));
    child.stdout.on('data', chunk => {
      printed += chunk;
      if (printed.startsWith('watching\n')) resolve();
    });
  });
  const asked = { secrets: pieces(secrets), program: join(repository, 'dist/'), temp: work.temp };
  child.stdin.end(JSON.stringify(asked));
  await started;
  try {
    const result = await during();
    const leaks = printed.trim().split('\n').slice(1);
    return { result, leaks: leaks.map(line => JSON.parse(line) as ProcessLeak) };
  } finally {
    for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
  }
}

/** Folders in which a run, a step or Nix writes files. */
const written = ['/dev/shm', '/etc', '/home', '/nix', '/opt/hostedtoolcache', '/root', '/run', '/tmp', '/var'];

/** The files of a machine, its store included, that contain a secret. */
export async function searchMachine(machine: Machine, secrets: readonly string[]): Promise<string[]> {
  const script =
    'for d; do [ ! -d "$d" ] || set -- "$@" "$d"; shift; done; exec grep -rlaF --devices=skip --file=- "$@"';
  const input = `${pieces(secrets).join('\n')}\n`;
  // 2: a file disappeared while it was read.
  const { stdout } = await machine.run(['sh', '-c', script, 'sh', ...written], { input, allow: [0, 1, 2] });
  return stdout.split('\n').filter(Boolean);
}

/** Programs that unpack a file, by its first bytes: `$0` is the file, `$1` an empty folder. */
const unpackers: readonly (readonly [magic: string, script: string])[] = [
  ['504b0304', 'unzip -q "$0" -d "$1"'],
  ['28b52ffd', 'zstd -dqc "$0" >"$1/content"'],
  ['fd377a58', 'xz -dc "$0" >"$1/content"'],
  ['1f8b', 'gzip -dc "$0" >"$1/content"'],
];

/** The files inside these archives (artifacts, caches), unpacked as often as they are packed, that contain a secret. */
export async function searchPacked(
  archives: Readonly<Record<string, Buffer>>,
  secrets: readonly string[],
): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'packed-'));
  const found: string[] = [];
  const look = async (file: string, place: string): Promise<void> => {
    const content = await readFile(file);
    if (pieces(secrets).some(piece => content.includes(piece))) found.push(place);
    const isTar = content.toString('latin1', 257, 262) === 'ustar';
    const script = isTar
      ? // The cache's client packs `../../_temp/…`.
        'tar --extract --no-same-owner -P --transform "s,[.][.]/,,g;s,^/*,," --file "$0" --directory "$1"'
      : unpackers.find(([magic]) => content.toString('hex', 0, 4).startsWith(magic))?.[1];
    if (script === undefined) return;
    const inner = `${file}.d`;
    await mkdir(inner);
    await exec('sh', ['-c', script, file, inner]);
    for (const entry of await readdir(inner, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await look(join(entry.parentPath, entry.name), `${place}/${entry.name}`);
    }
  };
  try {
    for (const [name, content] of Object.entries(archives)) {
      const file = join(directory, name.replaceAll('/', '_'));
      await writeFile(file, content);
      await look(file, name);
    }
  } finally {
    await exec('chmod', ['-R', 'u+w', directory]);
    await rm(directory, { recursive: true });
  }
  return found;
}
