import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../errors.ts';
import { webAddress } from '../plan/fleet.ts';
import { untilPassed } from './http-check.ts';
import type { Job } from './job.ts';
import { call } from './remote.ts';
import { confirmationTime } from './spec.ts';

/** Milliseconds for one attempt. */
const attemptTime = 15_000;

/**
 * Milliseconds until the next attempt. sshd penalizes an address for 5 s after each login that fails, and refuses it
 * altogether once 15 s have accumulated (sshd_config(5), PerSourcePenalties): a target that went back must not refuse us.
 */
const pauses = { denied: 6_000, otherwise: 1_000 };

/**
 * Proves to a target that the runner can still get in, once the target waits for it: by a new TCP connection,
 * authentication and privilege escalation. Before that, the HTTP health checks have to pass.
 */
export class Confirmation {
  readonly #job: Job;
  readonly #id: string;
  readonly #nonce: string;
  readonly #ended = new AbortController();
  #healthy: Promise<string | null> | undefined;
  #work: Promise<void> | undefined;
  #obstacle: string | null = null;

  constructor(job: Job, id: string, nonce: string) {
    this.#job = job;
    this.#id = id;
    this.#nonce = nonce;
  }

  /** Why the target was not confirmed, in words; null if it was, or if it never waited for it. */
  get obstacle(): string | null {
    return this.#obstacle;
  }

  /** Called with each phase that the activation enters. */
  onPhase(phase: string): void {
    if (phase !== 'verify' && phase !== 'confirm') return;
    this.#healthy ??= this.#untilHealthy();
    if (phase === 'confirm') this.#work ??= this.#confirm();
  }

  /** Called when the activation has ended: nothing is left to confirm. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#work;
  }

  #untilHealthy(): Promise<string | null> {
    const { deployment, config, remote } = this.#job;
    return untilPassed(
      deployment.healthChecks.http,
      webAddress(remote.target),
      config.healthTimeout,
      this.#ended.signal,
      'health check',
    );
  }

  async #confirm(): Promise<void> {
    const unhealthy = await this.#healthy;
    if (this.#ended.signal.aborted) return;
    if (unhealthy !== undefined && unhealthy !== null) {
      this.#obstacle = unhealthy;
      await reject(this.#job, this.#id, unhealthy);
      return;
    }
    const end = Date.now() + confirmationTime(this.#job) * 1000;
    while (Date.now() < end && !this.#ended.signal.aborted && !(await this.#attempt())) {
      await sleep(pauseAfter(this.#obstacle), undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  /** Whether the target has answered. */
  async #attempt(): Promise<boolean> {
    const options = { privileged: true, fresh: true, timeout: attemptTime, signal: this.#ended.signal };
    try {
      const { values } = await call(this.#job.remote, 'confirm', [this.#id, this.#nonce], options);
      if (values.get('confirmed') === 'yes') this.#obstacle = null;
      else this.#obstacle ??= 'a new connection came about too late';
      return values.get('end') === 'confirm';
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.failure.kind !== 'cancelled') this.#obstacle = wordsOf(error);
      return false;
    }
  }
}

/** Asks the target to go back, over the shared connection or else over a new one. It goes back without that, but later. */
export async function reject({ remote }: Pick<Job, 'remote'>, id: string, reason: string): Promise<void> {
  for (const fresh of [false, true]) {
    const options = { privileged: true, fresh, timeout: attemptTime };
    const reply = await call(remote, 'reject', [id, reason], options).catch(() => null);
    if (reply?.values.get('end') === 'reject') return;
  }
}

/** Milliseconds to wait before the next attempt to log in after one that failed, by what ssh said. */
export function pauseAfter(words: string | null): number {
  return words !== null && /Permission denied/.test(words) ? pauses.denied : pauses.otherwise;
}

/** What a command that failed on its way says about it, in one line. */
function wordsOf(error: CommandError): string {
  if (error.failure.kind === 'timeout') return 'a new connection did not come about in time';
  const lines = error.stderr
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  return lines.at(-1) ?? error.message;
}
