import { writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Context, Log } from './context.ts';
import { endLeftSession } from './deploy/index.ts';
import type { Place } from './errors.ts';
import { exec } from './exec.ts';
import type { Ports } from './pipeline.ts';
import { openProgress, type Progress } from './report/index.ts';
import { scratchParent } from './scratch.ts';
import { stateKey, teardown } from './setup/index.ts';
import { queryLimit } from './time-limits.ts';

/** What the command line gives to a run, as src/runner.ts does for a step. */
export interface Terminal {
  context: Context;
  /** The directory for downloads that are kept between runs. */
  cache: string;
  /** Prints a line above the live progress. */
  line(text: string): void;
  /** Calls `work` with new ports. What its set-up left is removed at the end, even if it throws. */
  within<T>(work: (ports: Ports) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param secretVariables see Deployer. */
export async function openTerminal(
  env: NodeJS.ProcessEnv,
  secretVariables: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  const cancelled = new AbortController();
  const cancel = (): void => cancelled.abort();
  // Every signal, not only the first: a second one (timeout(1) sends two, and so does an impatient user) must not interrupt
  // the cleanup. A terminal that is closed sends SIGHUP.
  process.on('SIGINT', cancel).on('SIGTERM', cancel).on('SIGHUP', cancel);
  const scratch = await realpath(await mkdtemp(join(scratchParent(tmpdir()), 'ferry-')));
  const progress = openProgress(process.stderr, env.CI === undefined && env.TERM !== 'dumb');
  const cache = join(env.XDG_CACHE_HOME ?? join(env.HOME ?? scratch, '.cache'), 'nix-ferry');
  const context: Context = {
    exec,
    query: (command, args, options) => exec(command, args, { ...options, timeout: queryLimit }),
    log: terminalLog(progress, env.FERRY_DEBUG === '1'),
    progress: event => progress.event(event),
    signal: cancelled.signal,
    scratch,
    environment: env,
  };
  return {
    context,
    cache,
    line: text => progress.line(text),
    async within(work) {
      const state = new Map<string, string>();
      const saveState = (key: string, value: string): void => {
        state.set(key, value);
        writeFileSync(join(scratch, `state-${key}`), value);
      };
      try {
        return await work(portsOf(env, cache, saveState, secretVariables));
      } finally {
        progress.end();
        await endLeftSession(scratch, exec);
        await teardown(state.get(stateKey), context);
      }
    },
    async close() {
      progress.end();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** What a runner would offer a step, on a person's machine. */
function portsOf(
  environment: NodeJS.ProcessEnv,
  cache: string,
  saveState: Ports['setup']['saveState'],
  secretVariables: Readonly<Record<string, string>>,
): Ports {
  const who = `${userInfo().username}@${hostname()}`;
  return {
    setup: { saveState },
    machine: { daemon: 'any', environment },
    archives: { directory: join(process.cwd(), 'archives'), artifacts: null },
    planCache: join(cache, 'plans'),
    repository: null,
    branch: null,
    pull: null,
    previewed: null,
    deployer: { who, run: null, ownSsh: true, ownCode: true, secretVariables },
  };
}

function terminalLog(progress: Progress, debug: boolean): Log {
  const secrets: string[] = [];
  const line = (kind: string, message: string, where?: Place): void => {
    const number = where?.line === undefined ? '' : `:${where.line}`;
    const place = where?.file === undefined ? '' : `${where.file}${number}: `;
    progress.line(secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), `${kind}${place}${message}`));
  };
  return {
    debug: message => (debug ? line('debug: ', message) : undefined),
    info: message => line('', message),
    notice: (message, where) => line('note: ', message, where),
    warning: (message, where) => line('warning: ', message, where),
    error: (message, where) => line('error: ', message, where),
    // A shorter one is part of everything.
    secret: secret => void (secret.trim().length > 3 && secrets.push(secret)),
  };
}
