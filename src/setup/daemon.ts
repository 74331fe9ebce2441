import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import type { SetupConfig, SetupRun } from './config.ts';
import type { FoundNix } from './find.ts';
import { asRoot } from './root.ts';

/** Variables of the job that the daemon gets: certificates, the ssh-agent and proxies. */
const passed = [
  'NIX_SSL_CERT_FILE',
  'SSH_AUTH_SOCK',
  ...['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()]),
];

/**
 * Starts the daemon of this run as root with the settings `conf`, and ends an earlier one of this run. It has its own
 * socket, so that neither the machine's own daemon nor /etc/nix/nix.conf is changed, and it needs no init system.
 *
 * @throws Error with its output if it accepts no connection within 20 s.
 */
export async function startDaemon(
  run: SetupRun,
  nix: FoundNix,
  conf: string,
  environment: SetupConfig['environment'],
  context: Context,
): Promise<void> {
  const input = `${variables(run, nix, environment)}${conf}`;
  await asRoot(context, run, 'daemon', [join(nix.bin, 'nix-daemon')], input);
  const deadline = Date.now() + 20_000;
  while (!(await answers(socketOf(run)))) {
    if (Date.now() > deadline || context.signal.aborted) {
      const log = await readFile(join(run.directory, 'daemon/log'), 'utf8').catch(() => '');
      throw new Error(`Nix's daemon did not start within 20 s. ${log.trim().slice(-2000)}`);
    }
    await sleep(5);
  }
}

/** The environment of root's Nix, as setup/root.sh reads it: one variable per line, then an empty line. */
export function variables(run: SetupRun, nix: FoundNix, environment: SetupConfig['environment']): string {
  const values: Record<string, string | undefined> = {
    ...(nix.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: nix.certificates }),
    ...Object.fromEntries(passed.flatMap(name => (environment[name] ? [[name, environment[name]]] : []))),
    NIX_SSHOPTS: `-F ${join(run.directory, 'keys/ssh_config')}`,
  };
  const lines = Object.entries(values).filter(([, value]) => !value?.includes('\n'));
  return `${lines.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

export function socketOf(run: SetupRun): string {
  return join(run.directory, 'socket');
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = connect(socket)
      .once('connect', () => {
        connection.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });
}
