import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../errors.ts';
import { Confirmation, pauseAfter, reject, wordsOf } from './confirmation.ts';
import { type Job, showProgress, whyAborted } from './job.ts';
import type { Probe } from './probe.ts';
import { call } from './remote.ts';
import { mostKept, type Reply } from './reply.ts';
import { isConnectionError } from './session.ts';
import { confirmationTime, longestActivation, specOf } from './spec.ts';
import { readStatus, type Status } from './status.ts';

/** What became of an activation. */
export interface Activation {
  end: End;
  /** What the target logged. */
  log: string[];
  /** Why the runner could not confirm it; null if it could, or did not have to. */
  obstacle: string | null;
}

export type End =
  /** The target says how it ended. */
  | { kind: 'status'; status: Status }
  /** The target did not start it. */
  | { kind: 'not-started'; why: string }
  /** Nobody works on it any more, and it left no status; `settled` is what the verb `settle` answered. */
  | { kind: 'lost'; settled: Reply | null }
  /** The target could not be reached again. */
  | { kind: 'unreachable'; error: CommandError; rebooting: boolean };

/** Seconds that a target has to go back, besides the time that it waits for the confirmation. */
const timeToGoBack = 120;

/** Phases in which nothing is changed yet. */
const early = ['', 'lock', 'look', 'expect', 'root', 'check'];

/** What identifies an activation on its target. */
export function newRunId(): string {
  return `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
}

/**
 * Starts the activation on the target, follows it until it ends, over as many connections as that takes, and confirms it.
 * If the run is cancelled, an activation that has changed nothing yet is ended, and any other is followed to its end.
 *
 * @param id a new one, from `newRunId`.
 * @throws CommandError when the activation script cannot be run on the target.
 */
export async function activate(job: Job, probe: Probe, id: string): Promise<Activation> {
  const nonce = randomBytes(16).toString('hex');
  const confirmation = new Confirmation(job, id, nonce);
  const following = new Following(job, id, confirmation);
  const cancel = (): void => following.cancel();
  job.context.signal.addEventListener('abort', cancel, { once: true });
  try {
    const end = await following.toEnd(specOf(job, probe, nonce));
    const unreached = end.kind === 'status' ? following.obstacle : null;
    return { end, log: following.log, obstacle: confirmation.obstacle ?? unreached };
  } finally {
    job.context.signal.removeEventListener('abort', cancel);
    await confirmation.end();
  }
}

class Following {
  readonly log: string[] = [];
  readonly #job: Job;
  readonly #id: string;
  readonly #confirmation: Confirmation;
  #phase = '';
  /** Whether the target has said that it reboots. */
  #rebooting = false;
  /** Lines of the log that have arrived. */
  #seen = 0;
  readonly #deadline: number;
  /** When the connection was cut, in milliseconds; null while there is one. */
  #cut: number | null = null;
  /** When the target was last heard, in milliseconds. */
  #heard = Date.now();
  /** For how many milliseconds the target could not be reached during its reboot, by what ssh said. */
  readonly #unreached = new Map<string, number>();

  constructor(job: Job, id: string, confirmation: Confirmation) {
    this.#job = job;
    this.#id = id;
    this.#confirmation = confirmation;
    this.#deadline = Date.now() + longestActivation(job) * 1000;
  }

  /** What kept the runner from reaching the target for most of the time of its reboot; null if nothing did. */
  get obstacle(): string | null {
    const [longest] = [...this.#unreached].sort(([, a], [, b]) => b - a);
    return longest?.[0] ?? null;
  }

  cancel(): void {
    if (!early.includes(this.#phase)) return;
    void reject(this.#job, this.#id, whyAborted(this.#job.context.signal).toLowerCase());
  }

  async toEnd(spec: readonly string[]): Promise<End> {
    let failure = await this.#try('run', [this.#id, ...spec]);
    // A machine may go down without closing its connections: ssh notices that long after.
    if (this.#rebooting && failure instanceof CommandError) {
      this.#noteUnreached('the connection was lost', Date.now() - this.#heard);
    }
    while (failure instanceof CommandError) {
      this.#cut ??= Date.now();
      const rebooting = this.#rebooting;
      if (Date.now() >= this.#deadline) return { kind: 'unreachable', error: this.#tooLong(), rebooting };
      if (Date.now() - this.#cut > this.#patience()) return { kind: 'unreachable', error: failure, rebooting };
      showProgress(this.#job, rebooting ? 'waiting for the reboot' : 'the connection was lost, reconnecting');
      const tried = Date.now();
      await sleep(pauseAfter(failure.stderr));
      failure = await this.#try(rebooting ? 'resume' : 'watch', [this.#id, String(this.#seen)]);
      if (rebooting && failure instanceof CommandError) this.#noteUnreached(wordsOf(failure), Date.now() - tried);
    }
    const reply = failure;
    const end = await this.#endOf(reply);
    // The status is read, so the target can forget the activation.
    if (end.kind !== 'not-started') await this.#callAfter('finish', [this.#id], 30_000);
    return end;
  }

  /**
   * Calls a verb when an activation has ended. The shared connection may lead to the gate of the system before, which may
   * not become root on the new system.
   *
   * @returns null if it could not be called.
   */
  async #callAfter(verb: string, args: readonly string[], timeout: number): Promise<Reply | null> {
    const shared = await this.#call(verb, args, timeout).catch(() => null);
    if (shared?.values.has('end')) return shared;
    return call(this.#job.remote, verb, args, { privileged: true, fresh: true, timeout }).catch(() => null);
  }

  #noteUnreached(words: string, milliseconds: number): void {
    this.#unreached.set(words, (this.#unreached.get(words) ?? 0) + milliseconds);
  }

  #tooLong(): CommandError {
    const seconds = longestActivation(this.#job);
    const why = `the target did not end the activation within ${seconds} s, more than its time limits allow`;
    return new CommandError(['ssh'], { kind: 'timeout', milliseconds: seconds * 1000 }, why);
  }

  /** Milliseconds for which it is tried to reach the target after a cut: until it must have gone back by itself. */
  #patience(): number {
    // Shutting down, starting, waiting for a confirmation, and shutting down and starting again.
    const reboots = this.#rebooting ? 5 * this.#job.config.rebootTimeout : 0;
    return (confirmationTime(this.#job) + timeToGoBack + reboots) * 1000;
  }

  /** Calls a verb that follows the activation. @returns the reply, or the error if the connection was cut. */
  async #try(verb: 'run' | 'watch' | 'resume', args: readonly string[]): Promise<Reply | CommandError> {
    try {
      const left = Math.max(1, this.#deadline - Date.now());
      const reply = await this.#call(verb, args, left);
      return reply.values.has('end')
        ? reply
        : new CommandError(['ssh'], { kind: 'exit', code: 255 }, 'the reply was cut');
    } catch (error) {
      const begun = verb !== 'run' || this.#phase !== '' || this.log.length > 0;
      if (!(error instanceof CommandError) || !(begun || isConnectionError(error))) throw error;
      return error;
    }
  }

  #call(verb: string, args: readonly string[], timeout?: number): Promise<Reply> {
    return call(this.#job.remote, verb, args, {
      privileged: true,
      fresh: this.#cut !== null,
      onLog: line => this.#onLog(line),
      onPhase: phase => this.#onPhase(phase),
      ...(timeout === undefined ? {} : { timeout }),
    });
  }

  #onLog(line: string): void {
    this.#heard = Date.now();
    // Each cut has a time of its own, but the next connection is a new one again.
    if (this.#cut !== null) this.#cut = Date.now();
    this.#seen += 1;
    if (this.log.length < mostKept.lines) this.log.push(line);
    const { host } = this.#job.deployment;
    const [, warning] = /^nix-ferry: warning: (.*)$/.exec(line) ?? [];
    if (warning === undefined) this.#job.context.log.debug(`${host}: ${line}`);
    else this.#job.context.log.warning(`${host}: ${warning}`, { host });
    showProgress(this.#job, line);
  }

  #onPhase(phase: string): void {
    this.#heard = Date.now();
    if (this.#cut !== null) this.#cut = Date.now();
    this.#phase = phase;
    if (phase === 'reboot') this.#rebooting = true;
    if (this.#job.context.signal.aborted) this.cancel();
    this.#confirmation.onPhase(phase);
  }

  async #endOf(reply: Reply): Promise<End> {
    const status = readStatus(reply);
    if (status !== null) return { kind: 'status', status };
    const end = reply.values.get('end');
    if (end === 'invalid' || end === 'failed') return { kind: 'not-started', why: reply.values.get('why') ?? end };
    return { kind: 'lost', settled: await this.#callAfter('settle', [], 300_000) };
  }
}
