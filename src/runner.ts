import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getExecOutput } from '@actions/exec';
import { artifactStore } from './archive/upload.ts';
import type { CachePort, Context, Log, Query, Stage } from './context.ts';
import { CommandError, type Place, stderrLimit } from './errors.ts';
import { eventOf, pullRequestOf } from './event.ts';
import { exec } from './exec.ts';
import type { Config } from './inputs.ts';
import type { Ports } from './pipeline.ts';
import { findPreviewed, openProgress } from './report/index.ts';
import { scratchParent } from './scratch.ts';
import { queryLimit, within } from './time-limits.ts';
import { trustedEvents } from './trusted-events.ts';
import { withoutCommands } from './workflow-commands.ts';

type Core = typeof import('@actions/core');

/** The titles of the groups in the step's log; a group is folded when its stage has ended. */
const titles: Record<Stage, string> = {
  setup: 'Set up Nix',
  plan: 'Evaluate the hosts',
  build: 'Build the closures',
  archive: 'Write the archives',
  preview: 'Compare with the targets',
  deploy: 'Deploy to the targets',
  report: 'Report',
};

/**
 * Logs in the way the runner shows: notices, warnings and errors as workflow commands, everything else as plain lines.
 *
 * @param heard is called for every line that the log shows.
 */
function runnerLog(core: Core, heard: () => void): Log {
  const shown =
    <A extends unknown[]>(write: (...args: A) => void) =>
    (...args: A): void => {
      heard();
      write(...args);
    };
  return {
    debug: message => core.debug(message),
    info: shown(message => core.info(withoutCommands(message))),
    notice: shown((message, where) => core.notice(message, properties(where))),
    warning: shown((message, where) => core.warning(message, properties(where))),
    error: shown((message, where) => core.error(message, properties(where))),
    secret: text => {
      // The runner masks line by line, so each line of a key is registered.
      for (const line of text.split('\n')) if (line.trim().length > 3) core.setSecret(line.trim());
    },
  };
}

function properties(where: Place | undefined): Parameters<Core['error']>[1] {
  if (where === undefined) return {};
  return {
    ...(where.host === undefined ? {} : { title: where.host }),
    ...(where.file === undefined ? {} : { file: where.file }),
    ...(where.line === undefined ? {} : { startLine: where.line }),
    ...(where.column === undefined ? {} : { startColumn: where.column }),
  };
}

/**
 * `Context.query` by @actions/exec; nothing of it is shown in the log.
 *
 * @actions/exec cannot end a program. One that takes longer than `milliseconds` is left to itself; it does not keep the step,
 * which ends its process.
 */
export const queryWithin =
  (milliseconds: number): Query =>
  async (command, args, { cwd, env, allow = [0] } = {}) => {
    const argv = [command, ...args];
    const set = Object.entries(env ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    const running = getExecOutput(command, [...args], {
      silent: true,
      ignoreReturnCode: true,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: Object.fromEntries(set) as Record<string, string> }),
    }).catch(error => {
      // With ignoreReturnCode, it throws only if the program cannot be started; the reason is only in its words.
      const reason = (error as Error).message;
      const missing = reason.startsWith('Unable to locate executable file');
      throw new CommandError(argv, missing ? { kind: 'missing' } : { kind: 'not-started', reason }, '');
    });
    const ended = await inMilliseconds(milliseconds, running, () => {
      return new CommandError(argv, { kind: 'timeout', milliseconds }, '');
    });
    // Its types do not say that the code is null if a signal ended the program.
    const code = ended.exitCode as number | null;
    const printed = ended.stderr.slice(-stderrLimit);
    if (code === null) throw new CommandError(argv, { kind: 'signal', signal: 'a signal' }, printed);
    if (!allow.includes(code)) throw new CommandError(argv, { kind: 'exit', code }, printed);
    return { code, stdout: ended.stdout, stderr: ended.stderr.slice(-64 * 1024) };
  };

function inMilliseconds<T>(milliseconds: number, running: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), milliseconds);
    running.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The context of a run inside the runner; `close` ends its progress and may be called twice. */
export function openContext(
  core: Core,
  scratch: string,
  environment: Context['environment'],
): { context: Context; close: () => void } {
  const progress = openProgress({ write: text => process.stdout.write(withoutCommands(text)) }, false);
  const cancelled = new AbortController();
  const cancel = (): void => cancelled.abort();
  // The runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner, "cancellation").
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  const context: Context = {
    exec,
    query: queryWithin(queryLimit),
    log: runnerLog(core, () => progress.heard()),
    progress: event => {
      if (!('host' in event)) {
        if (event.state === 'running') core.startGroup(titles[event.stage]);
        else core.endGroup();
      }
      progress.event(event);
    },
    signal: cancelled.signal,
    scratch,
    environment,
  };
  return { context, close: () => progress.end() };
}

/** What the runner offers a step: its state, its cache, its artifacts. */
export function portsOf(
  core: Core,
  { githubToken: token, signingKey: secret }: Config['fetch'],
  env: NodeJS.ProcessEnv,
  secretVariables: Readonly<Record<string, string>>,
  context: Context,
): Ports {
  const repository = env.GITHUB_REPOSITORY ?? null;
  const number = env.GITHUB_RUN_ID === undefined ? null : Number(env.GITHUB_RUN_ID);
  const run = `${env.GITHUB_SERVER_URL ?? 'https://github.com'}/${repository}/actions/runs/${number}`;
  const api = env.GITHUB_API_URL ?? 'https://api.github.com';
  const access = { token, secret, repository, run: number, ref: env.GITHUB_REF_NAME ?? null, api };
  const findsPreviews = token !== null && repository !== null && trustedEvents.includes(env.GITHUB_EVENT_NAME ?? '');
  return {
    setup: {
      saveState: core.saveState,
      publish: { addPath: core.addPath, exportVariable: core.exportVariable, setOutput: core.setOutput },
      ...(env.ACTIONS_RUNTIME_TOKEN === undefined ? {} : { cache: cacheOf('store', env, context.signal) }),
    },
    machine: { daemon: 'own', environment: env },
    archives: {
      directory: join(context.scratch, 'archives'),
      artifacts: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : artifactStore(access, context),
    },
    planCache: env.ACTIONS_RUNTIME_TOKEN === undefined ? null : cacheOf('plan', env, context.signal),
    repository,
    branch: env.GITHUB_REF_NAME ?? null,
    pull: pullRequestOf(eventOf(env)),
    previewed: findsPreviews
      ? () => findPreviewed(env.GITHUB_SHA ?? '', { api, token: token ?? '', repository: repository ?? '' })
      : null,
    deployer: {
      who: `${repository} run ${number} by ${env.GITHUB_ACTOR}`,
      run: number === null ? null : run,
      ownSsh: false,
      ownCode: trustedEvents.includes(env.GITHUB_EVENT_NAME ?? ''),
      secretVariables,
    },
  };
}

function cacheOf(what: string, env: NodeJS.ProcessEnv, signal: AbortSignal): CachePort {
  const directory = join(scratchParent(env.RUNNER_TEMP, tmpdir()), `nix-ferry-${what}-cache`);
  return {
    directory,
    restore: async (key, prefixes) => {
      const { restoreCache } = await import('@actions/cache');
      // A separate lookup: an answer that comes too late must not be unpacked over files that are in use by then.
      const lookup = restoreCache([directory], key, [...prefixes], { lookupOnly: true });
      const found = await within(10, lookup, signal);
      if (found === undefined) return null;
      // By default, the client waits ten minutes for 128 MB.
      const restored = await restoreCache([directory], found, [], { segmentTimeoutInMs: 60_000 });
      if (restored === undefined) throw new Error(`its entry ${found} could not be downloaded.`);
      return restored;
    },
    save: async key => {
      const { saveCache } = await import('@actions/cache');
      return (await within(300, saveCache([directory], key), signal)) !== -1;
    },
    trusted: trustedEvents.includes(env.GITHUB_EVENT_NAME ?? ''),
  };
}
