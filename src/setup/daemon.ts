import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import type { Run, SetupConfig } from './config.ts';
import type { FoundNix } from './find.ts';
import { asRoot } from './root.ts';

/** The daemon's own variables, and those of the network that it must share with the job. */
const passed = [
  'NIX_SSL_CERT_FILE',
  'SSH_AUTH_SOCK',
  ...['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()]),
];

/**
 * Starts the run's own daemon as root with the settings `conf`, ending the one it had: on a socket of its own, so that
 * neither a daemon that the machine has nor /etc/nix/nix.conf is touched, and no init system is asked for.
 *
 * @throws Error with what it printed when it does not answer within 20 s.
 */
export async function startDaemon(
  run: Run,
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
      throw new Error(`Nix's daemon does not answer. ${log.trim().slice(-2000)}`);
    }
    await sleep(5);
  }
}

/** The environment of root's Nix as setup/root.sh reads it: a line each, and an empty one. */
export function variables(run: Run, nix: FoundNix, environment: SetupConfig['environment']): string {
  const values: Record<string, string | undefined> = {
    ...(nix.certificates === undefined ? {} : { NIX_SSL_CERT_FILE: nix.certificates }),
    ...Object.fromEntries(passed.flatMap(name => (environment[name] ? [[name, environment[name]]] : []))),
    NIX_SSHOPTS: `-F ${join(run.directory, 'keys/ssh_config')}`,
  };
  const lines = Object.entries(values).filter(([, value]) => !value?.includes('\n'));
  return `${lines.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

export function socketOf(run: Run): string {
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
