import { CommandError, explain } from '../errors.ts';
import { isLocal, webAddress } from '../plan/fleet.ts';
import { type Activation, activate, type End, newRunId } from './activation.ts';
import { rebootSentence } from './booted.ts';
import { copyClosure } from './copy.ts';
import { connectionFailure, copyFailure } from './failure.ts';
import { GateRefusal } from './gate.ts';
import { untilPassed } from './http-check.ts';
import { type Job, showProgress, whyAborted } from './job.ts';
import { type Judgement, judge, judgeLost } from './judge.ts';
import { isFailure, type Outcome } from './outcome.ts';
import { type Phase, phases } from './phase.ts';
import { isUpToDate, type Probe, probeTarget, refusalOf, SilentTarget } from './probe.ts';
import { reportOf, secretSentences } from './secrets/report.ts';
import { compareSecrets, replaceSecrets } from './secrets/send.ts';
import { stageSecrets } from './secrets/stage.ts';
import { isConnectionError } from './session.ts';
import { confirmationTime, mayReboot, rebootRequested } from './spec.ts';
import { noUnits, otherChanges, readUnits } from './units.ts';
import { readWords } from './words.ts';

const keptLog = 16 * 1024;

function alreadyThere({ needsReboot }: Probe): string {
  const reboot = needsReboot.length > 0 ? ` A reboot is needed: ${rebootSentence(needsReboot)}.` : '';
  return `The target is already on this system.${reboot}`;
}

/** What is known about a host while it is deployed. */
interface State {
  phase: Phase;
  before: string | null;
  after: string | null;
}

/** How a deployment ended, without what `State` knows. */
type Ending = Judgement & Partial<Pick<Outcome, 'units' | 'others' | 'secrets' | 'log'>>;

/** The deployment to one host, in two parts, between which it may wait. It never throws: whatever happens is an outcome. */
export class HostDeployment {
  readonly #job: Job;
  readonly #state: State = { phase: 'probe', before: null, after: null };
  #probe: Probe | null = null;
  /** For which it worked, without what it waited. */
  #seconds = 0;

  /** @param job its signal is aborted when the run is cancelled. */
  constructor(job: Job) {
    this.#job = job;
  }

  /**
   * Connects, looks at the target and copies the closure, which changes nothing that the target runs or boots.
   *
   * @param heldBack aborted when it will not be activated.
   * @param onConnected called when the target has answered.
   * @returns null if the system can be activated.
   */
  prepare(heldBack: AbortSignal, onConnected: () => void): Promise<Outcome | null> {
    return this.#work(AbortSignal.any([this.#job.context.signal, heldBack]), async job => {
      const ready = await endedByCancel(job, () => prepare(job, this.#state, onConnected));
      if ('outcome' in ready) return ready;
      this.#probe = ready;
      return null;
    });
  }

  /** To be called after `prepare` has returned null. */
  async activate(): Promise<Outcome> {
    const outcome = await this.#work(this.#job.context.signal, job =>
      activatePrepared(job, this.#probe as Probe, this.#state),
    );
    return outcome as Outcome;
  }

  /** Does a part of the work, within what is left of `hostTimeout`. */
  async #work(signal: AbortSignal, work: (job: Job) => Promise<Ending | null>): Promise<Outcome | null> {
    const started = performance.now();
    const job = { ...this.#job, context: { ...this.#job.context, signal: this.#limited(signal) } };
    const ended = await work(job).catch((error: unknown) => failureOf(error, job, this.#state));
    this.#seconds += (performance.now() - started) / 1000;
    return ended === null ? null : this.#outcome(skippedIfOffline(ended, job, this.#state));
  }

  /** Aborted when `signal` is, or when the host has no time left. Its reason says which. */
  #limited(signal: AbortSignal): AbortSignal {
    const { hostTimeout } = this.#job.config;
    if (hostTimeout === 0) return signal;
    const left = Math.max(0, hostTimeout - this.#seconds);
    return AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left * 1000))]);
  }

  #outcome(ending: Ending): Outcome {
    const { deployment, config } = this.#job;
    const { before, after } = this.#state;
    const nothing = { units: noUnits(), others: [] };
    return { host: deployment.host, mode: config.mode, before, after, ...nothing, ...ending, seconds: this.#seconds };
  }
}

/** A target that was not reached at all may be skipped; one that was lost later may not. */
function skippedIfOffline(ending: Ending, { config, deployment, context }: Job, { phase }: State): Ending {
  if (ending.outcome !== 'unreachable' || phase !== 'probe' || config.offline === 'fail') return ending;
  context.log.warning(`${deployment.host} is skipped. ${ending.message}`, { host: deployment.host });
  return { ...ending, outcome: 'skipped' };
}

/** Everything after `prepare`, until something decides the outcome. */
async function activatePrepared(job: Job, probe: Probe, state: State): Promise<Ending> {
  if (job.config.mode === 'dry-activate') return predict(job, probe, state);
  const upToDate = whyNotActivated(job, probe);
  const unready = upToDate === null ? await endedByCancel(job, () => failedChecks(job, state)) : null;
  if (unready !== null) return { outcome: 'refused', message: unready };
  const id = newRunId();
  await stage(job, id, state);
  if (upToDate !== null) {
    enter('replace', job, state);
    return replaceSecrets(job, id, upToDate);
  }
  enter('activate', job, state);
  return activateAndJudge(job, probe, id, state);
}

/** Brings the secrets of the host to the target, which replaces none of its own yet. */
async function stage(job: Job, id: string, state: State): Promise<void> {
  const { remote, secrets, config, context } = job;
  if (secrets.length === 0) return;
  enter('stage', job, state);
  await endedByCancel(job, () => stageSecrets(remote, id, secrets, config, { signal: context.signal }));
}

/** Why only secrets are sent, as a sentence; null: the system is activated. */
function whyNotActivated({ deployment, config, secrets }: Job, probe: Probe): string | null {
  if (config.mode === 'secrets') return '';
  return secrets.length > 0 && isUpToDate(deployment, config, probe) ? alreadyThere(probe) : null;
}

/** A dry run: what the activation would do, and what would become of the secrets. */
async function predict(job: Job, probe: Probe, state: State): Promise<Ending> {
  enter('predict', job, state);
  const upToDate = isUpToDate(job.deployment, job.config, probe);
  const ending: Ending = upToDate
    ? { outcome: 'unchanged', message: alreadyThere(probe) }
    : await activateAndJudge(job, probe, newRunId(), state);
  if (job.secrets.length === 0 || (ending.outcome !== 'planned' && ending.outcome !== 'unchanged')) return ending;
  const { report, problems } = await compareSecrets(job, newRunId());
  if (problems !== null) return { ...ending, outcome: 'refused', message: `Secrets cannot be written: ${problems}.` };
  const outcome = report.changed.length > 0 ? 'planned' : ending.outcome;
  return {
    ...ending,
    outcome,
    message: `${ending.message}${secretSentences(report, job.config.mode)}`,
    secrets: report,
  };
}

/** Everything before the activation. @returns the probe if the closure is on the target and may be activated. */
async function prepare(job: Job, state: State, onConnected: () => void): Promise<Probe | Ending> {
  enter('probe', job, state);
  const probe = await probeTarget(job.remote, job.context);
  onConnected();
  if (probe === null) {
    return {
      outcome: 'failed',
      message: "The target's reply is incomplete: its login shell may exit early or print other text.",
    };
  }
  state.before = probe.current;
  state.after = probe.current;
  const refusal = refusalOf(job.deployment, job.remote, probe);
  if (refusal !== null) return { outcome: 'refused', message: refusal };
  if (job.config.mode === 'secrets') return probe;
  warnOfNoReboot(job);
  const pending = job.config.reboot === 'if-needed' && mayReboot(job) && probe.needsReboot.length > 0;
  if (isUpToDate(job.deployment, job.config, probe) && !pending) {
    return job.secrets.length > 0 ? probe : { outcome: 'unchanged', message: alreadyThere(probe) };
  }
  enter('copy', job, state);
  return (await copy(job, probe)) ?? probe;
}

/** Warns of a target that is not rebooted, whatever the input says. */
function warnOfNoReboot(job: Job): void {
  const { deployment, config, context } = job;
  const { host, target, secrets } = deployment;
  if (!rebootRequested(config) || mayReboot(job)) return;
  if (target !== null && isLocal(target)) {
    context.log.warning(`${host} is not rebooted: it is the machine that the deployment runs on.`, { host });
  } else if (secrets.length > 0) {
    const next = 'Reboot it yourself, then send its secrets with `ferry secrets`.';
    context.log.warning(`${host} is not rebooted: the new system would start without its secrets. ${next}`, { host });
  }
}

/** Runs `work`, with the connection that it uses closed if the run is cancelled. */
async function endedByCancel<T>({ remote, context }: Job, work: () => Promise<T>): Promise<T> {
  const disconnect = (): void => void remote.session.disconnect(remote.alias);
  context.signal.addEventListener('abort', disconnect, { once: true });
  try {
    return await work();
  } finally {
    context.signal.removeEventListener('abort', disconnect);
  }
}

/** The pre-deploy checks that the runner does itself, repeated as by morph. @returns why the system must not be activated; null: it may. */
async function failedChecks(job: Job, state: State): Promise<string | null> {
  const { deployment, remote, config, context } = job;
  const { http } = deployment.preDeployChecks;
  if (http.length === 0) return null;
  enter('check', job, state);
  const failed = await untilPassed(
    http,
    webAddress(remote.target),
    config.healthTimeout,
    context.signal,
    'pre-deploy check',
  );
  context.signal.throwIfAborted();
  return failed === null ? null : `${failed.charAt(0).toUpperCase()}${failed.slice(1)}. Nothing was changed.`;
}

function enter(phase: Phase, job: Job, state: State): void {
  state.phase = phase;
  showProgress(job, phases[phase].doing);
}

/** Null when the closure is on the target. */
async function copy(job: Job, probe: Probe): Promise<Judgement | null> {
  try {
    await copyClosure(job, probe, text => showProgress(job, text));
    return null;
  } catch (error) {
    if (job.context.signal.aborted || !(error instanceof CommandError)) throw error;
    return copyFailure(error, job.remote.target, probe.free);
  }
}

async function activateAndJudge(job: Job, probe: Probe, id: string, state: State): Promise<Ending> {
  const activation = await activate(job, probe, id);
  const judgement = judgeActivation(job, activation, state);
  const { there } = readWords(activation.log);
  const ending = { ...withSecrets(job, judgement, activation), units: readUnits(there), others: otherChanges(there) };
  return isFailure(judgement) ? { ...ending, log: activation.log.join('\n').slice(-keptLog) } : ending;
}

/** The judgement with what became of the secrets, if the activation was finished. */
function withSecrets({ secrets, config }: Job, judgement: Judgement, { end }: Activation): Ending {
  if (secrets.length === 0 || config.mode === 'dry-activate') return judgement;
  if (end.kind !== 'status' || end.status.result !== 'finished') return judgement;
  const report = reportOf(secrets, end.status.secrets.changed, end.status.secrets.volatile);
  const outcome = judgement.outcome === 'unchanged' && report.changed.length > 0 ? 'deployed' : judgement.outcome;
  const message = `${judgement.message}${secretSentences(report, config.mode)}`;
  return { outcome, message, secrets: report };
}

function judgeActivation(job: Job, { end, log, obstacle }: Activation, state: State): Judgement {
  const { toplevel } = job.deployment;
  const { mode, failedUnits } = job.config;
  switch (end.kind) {
    case 'status': {
      const { status } = end;
      if (status.before.current !== null) state.before = status.before.current;
      state.after = status.now.current;
      return judge({ status, log, toplevel, mode, failedUnits, obstacle });
    }
    case 'not-started':
      return { outcome: 'refused', message: `The activation could not be started on the target: ${end.why}.` };
    case 'lost': {
      state.after = end.settled?.values.get('current') || null;
      return judgeLost({ reply: end.settled, toplevel, mode });
    }
    case 'unreachable': {
      state.after = null;
      return outOfReach(job, end, obstacle);
    }
  }
}

/** The target was not reached again: what is known, and what it does by itself. */
function outOfReach(
  { remote, config, deployment }: Job,
  { error: { stderr }, rebooting }: Extract<End, { kind: 'unreachable' }>,
  obstacle: string | null,
): Judgement {
  const { doing, continuesAlone } =
    phases[config.mode === 'dry-activate' ? 'predict' : rebooting ? 'reboot' : 'activate'];
  const why = obstacle ?? (stderr.trim().split('\n').at(-1) || 'the connection was closed');
  const lost = `The connection was lost while ${doing}, and ${remote.target.address} could not be reached again (${why})`;
  if (!continuesAlone) return { outcome: 'unreachable', message: `${lost}. The target was not changed.` };
  if (rebooting) {
    const then = 'Without a confirmation, it starts its previous system again, by itself or when it is reset';
    return { outcome: 'failed', message: `${lost}. ${then}.` };
  }
  const seconds = confirmationTime({ config, deployment });
  const then =
    config.mode === 'boot' || seconds === 0
      ? 'The target continues by itself'
      : `If the new system runs there, the target goes back by itself after ${seconds} s without a confirmation`;
  return { outcome: 'failed', message: `${lost}. ${then}.` };
}

function failureOf(error: unknown, { remote, context }: Job, state: State): Judgement {
  const { doing, continuesAlone } = phases[state.phase];
  if (context.signal.aborted) {
    const then = continuesAlone ? 'the target continues by itself.' : 'the target was not changed.';
    return { outcome: 'failed', message: `${whyAborted(context.signal)} while ${doing}; ${then}` };
  }
  if (isConnectionError(error)) {
    if (continuesAlone) state.after = null;
    const { publicKey, keyNames } = remote.session;
    const access = { publicKey, keyName: keyNames.get(remote.alias) ?? null };
    return connectionFailure(error, remote.target, state.phase, access);
  }
  if (error instanceof GateRefusal) return { outcome: 'refused', message: error.message };
  if (error instanceof SilentTarget) return { outcome: 'unreachable', message: `${error.message}.` };
  const why = error instanceof CommandError ? lastLines(error) : explain(error);
  return { outcome: 'failed', message: `Failed while ${doing}: ${why}` };
}

function lastLines(error: CommandError): string {
  const lines = error.stderr.trim().split('\n').slice(-4).join('\n');
  return error.failure.kind !== 'exit' || lines === '' ? error.message : lines;
}
