import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, showProgress } from './job.ts';
import { call } from './remote.ts';
import type { Reply } from './reply.ts';
import { isConnectionError } from './session.ts';

/** How an activation ended, as recorded by the supervisor on the target. */
export interface Activation {
  result: 'activated' | 'refused' | 'rolled-back' | 'failed';
  why: string;
  /** `lock`, `check`, `root`, `profile`, or the verb that switch-to-configuration was called with. */
  step: string;
  /** Exit code of that step. */
  code: number;
  before: string | null;
  current: string | null;
  profile: string | null;
}

/** Null when there is no result yet, or when it was lost. */
export function readActivation({ values }: Reply): Activation | null {
  const result = values.get('result');
  if (values.get('end') !== 'result') return null;
  if (result !== 'activated' && result !== 'refused' && result !== 'rolled-back' && result !== 'failed') return null;
  return {
    result,
    why: values.get('why') ?? '',
    step: values.get('step') ?? '',
    code: Number(values.get('code')),
    before: values.get('before') || null,
    current: values.get('current') || null,
    profile: values.get('profile') || null,
  };
}

/**
 * Starts the activation on the target and follows its log until it ends, over as many connections as that takes.
 *
 * @returns the activation, null when the target lost it, and the lines of the log.
 * @throws CommandError when the target cannot be reached again within `confirmTimeout`, or when the run is cancelled.
 */
export async function activate(job: Job): Promise<{ activation: Activation | null; log: string[] }> {
  const { remote, context } = job;
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  const log: string[] = [];
  const onLog = (line: string): void => {
    log.push(line);
    context.log.debug(`${job.deployment.host}: ${line}`);
    showProgress(job, line);
  };
  const options = { privileged: true, onLog, signal: context.signal };
  let lostAt: number | null = null;
  let reply: Reply | undefined;
  while (reply === undefined) {
    try {
      reply =
        lostAt === null
          ? await call(remote, 'run', runArguments(id, job), options)
          : await call(remote, 'watch', [id, String(log.length)], { ...options, fresh: true });
    } catch (error) {
      if (!isConnectionError(error) || context.signal.aborted) throw error;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > job.config.confirmTimeout * 1000) throw error;
      showProgress(job, 'the connection was lost, reconnecting');
      await sleep(1_000);
    }
  }
  // The result is read, so the target can remove its copy.
  const finish = { privileged: true, timeout: 30_000, fresh: lostAt !== null };
  await call(remote, 'finish', [id], finish).catch(() => undefined);
  return { activation: readActivation(reply), log };
}

/** The arguments of the verb `run`. The script reads them line by line, so they contain only plain characters. */
function runArguments(id: string, { deployment, config }: Job): string[] {
  const { host, toplevel, commit } = deployment;
  const words = [config.who, host, commit ?? '', config.run ?? ''].map(word => word.replaceAll(/[^\w ./:@#-]/g, ' '));
  return [id, config.mode, toplevel, ...words];
}
