import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asset } from '../assets.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';

/** Machines inside this one. Each has its own SSH server and Nix store. */
export interface Targets {
  /** A value for the input `targets`. */
  yaml: string;
  /** A value for the input `known-hosts`. */
  knownHosts: string;
  /** The private key that the targets accept, made for this run. */
  deployKey: string;
  /** The address of each target, such as `root@127.0.0.2:22022`. */
  addresses: Map<string, string>;
  /** Runs a command on a target. @returns what it prints @throws CommandError */
  ask(name: string, command: string): Promise<string>;
  /** Stops all targets and removes everything of them. */
  end(): Promise<void>;
}

/** How long a target may take to answer, in milliseconds. */
const startTimeout = 20_000;

/** What targets are made from. */
export interface Parts {
  nix: Nix;
  /** A static busybox of each target's processor, by the target's name. */
  busyboxes: ReadonlyMap<string, string>;
  /** The directory with sshd; null: the machine's own sshd. */
  sshd: string | null;
}

/**
 * Starts a target for each busybox, at 127.0.0.2, 127.0.0.3, … on free ports.
 *
 * @param state a directory of this run, which does not exist yet.
 * @throws UserError if root may not create namespaces on this machine.
 */
export async function startTargets({ nix, busyboxes, sshd }: Parts, state: string, context: Context): Promise<Targets> {
  const names = [...busyboxes.keys()];
  await mkdir(state, { mode: 0o700 });
  await Promise.all([
    makeKey(join(state, 'key'), context),
    writeNix(state, nix),
    ...names.map(name => makeKey(join(state, name), context)),
    ...names.map(name => mkdir(join(state, `${name}.root`))),
  ]);
  await writeFile(join(state, 'authorized_keys'), await readFile(join(state, 'key.pub')));
  const children: ChildProcess[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(children.map(stop));
  };
  try {
    const places = await mapConcurrently([...busyboxes], busyboxes.size, async ([name, busybox], index) => {
      const place = { name, address: `127.0.0.${index + 2}`, port: await freePort(`127.0.0.${index + 2}`) };
      children.push(await start(state, place, busybox, sshd, context));
      return place;
    });
    const hostKeys = places.map(async ({ name, address, port }) => {
      const [type, key] = (await readFile(join(state, `${name}.pub`), 'utf8')).split(' ');
      return `[${address}]:${port} ${type} ${key}\n`;
    });
    const knownHosts = (await Promise.all(hostKeys)).join('');
    await writeFile(join(state, 'known_hosts'), knownHosts);
    return {
      yaml: places.map(({ name, address, port }) => `${name}: root@${address}:${port}\n`).join(''),
      knownHosts,
      deployKey: await readFile(join(state, 'key'), 'utf8'),
      addresses: new Map(places.map(({ name, address, port }) => [name, `root@${address}:${port}`])),
      async ask(name, command) {
        const place = places.find(each => each.name === name);
        if (place === undefined) throw new Error(`there is no target ${name}`);
        const { stdout } = await context.exec('ssh', [...sshArguments(state, place.address, place.port), command]);
        return stdout.trim();
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function sshArguments(state: string, address: string, port: number): string[] {
  const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'StrictHostKeyChecking=yes'];
  return [
    ...['-F', 'none', '-i', join(state, 'key'), '-p', String(port)],
    ...[...options, `UserKnownHostsFile=${join(state, 'known_hosts')}`].flatMap(option => ['-o', option]),
    `root@${address}`,
  ];
}

async function makeKey(path: string, context: Context): Promise<void> {
  await context.exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'nix-ferry demo', '-f', path]);
}

/** Writes which Nix the targets get: this machine's, with all paths that it needs. */
async function writeNix(state: string, nix: Nix): Promise<void> {
  const { bin } = nix.installation;
  const real = bin === null ? '/usr/bin' : await realpath(bin);
  await writeFile(join(state, 'nix-bin'), real);
  await writeFile(join(state, 'nix-paths'), await nixPaths(real, nix));
}

async function nixPaths(bin: string, nix: Nix): Promise<string> {
  if (bin.startsWith('/nix/store/')) return (await nix.run('nix-store', ['--query', '--requisites', bin])).stdout;
  // The targets have /usr. Elsewhere, the libraries are expected next to the programs.
  return ['/usr/bin', '/bin'].includes(bin) ? '' : `${dirname(bin)}\n`;
}

async function freePort(address: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0));
    });
  });
}

/** The words before a command that needs root. */
export function rootWords(): string[] {
  return process.getuid?.() === 0 ? [] : ['sudo', '-n'];
}

async function start(
  state: string,
  { name, address, port }: { name: string; address: string; port: number },
  busybox: string,
  sshd: string | null,
  context: Context,
): Promise<ChildProcess> {
  const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
  const script = [asset('examples/embedded/target.sh'), state, name, address, String(port), busybox, sshd ?? ''];
  const [command = '', ...args] = [...rootWords(), 'unshare', ...namespaces, 'sh', ...script];
  // Not in the foreground process group: Ctrl-C reaches this process, which then stops the target.
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  child.stdout.resume();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
  });
  let ended = false;
  child.once('error', error => {
    said += error.message;
    ended = true;
  });
  child.once('close', () => {
    ended = true;
  });
  const until = Date.now() + startTimeout;
  while (!(await answers(address, port))) {
    if (context.signal.aborted) await stop(child);
    if (ended || context.signal.aborted || Date.now() > until) {
      await stop(child);
      context.signal.throwIfAborted();
      throw new UserError(`The target ${name} did not start: ${said.trim() || 'its SSH server does not answer'}.`, {
        cure: 'The demo needs a machine on which root may mount and create namespaces: a real or virtual one, or a privileged container.',
      });
    }
    await pause(30);
  }
  return child;
}

/** Whether an SSH server answers at the port. */
async function answers(address: string, port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect({ host: address, port, timeout: 2_000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', data => settle(data.toString().startsWith('SSH-')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => settle(false));
  });
}

/** The target ends when its standard input is closed, so it also ends if this program dies. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGTERM'), 5_000);
  await closed;
  clearTimeout(timer);
}

/**
 * Checks, before anything else, that the machine has what the demo needs.
 *
 * @throws UserError for the first requirement that is not met.
 */
export async function checkMachine(context: Context): Promise<void> {
  const tries: [string[], string, string][] = [
    [['git', '--version'], 'Git is not installed.', 'Run `apt-get install git`.'],
    [['ssh', '-V'], 'ssh is not installed.', 'Run `apt-get install openssh-client`.'],
    [['apt-get', '--version'], 'apt-get is not installed, and the demo is made from packages of Debian or Ubuntu.', ''],
  ];
  if (process.getuid?.() !== 0) {
    tries.push([
      ['sudo', '-n', 'true'],
      'The demo needs root, and `sudo -n` does not work.',
      'Run it as root, or as a user with sudo without a password.',
    ]);
  }
  tries.push([
    [...rootWords(), 'unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
    'Root may not create namespaces and mount in them on this machine.',
    'Run the demo on a real or virtual machine, or in a privileged container.',
  ]);
  for (const [[command = '', ...args], message, cure] of tries) {
    try {
      await context.exec(command, args, { timeout: 20_000, signal: context.signal });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      context.signal.throwIfAborted();
      throw new UserError(message, { ...(cure === '' ? {} : { cure }), cause: error });
    }
  }
}
