import { CommandError, explain } from '../errors.ts';
import { isLocal, webAddress } from '../plan/fleet.ts';
import { type Activation, activate, type End } from './activation.ts';
import { rebootSentence } from './booted.ts';
import { copyClosure } from './copy.ts';
import { connectionFailure, copyFailure } from './failure.ts';
import { failedOnce } from './http-check.ts';
import { type Job, showProgress, whyAborted } from './job.ts';
import { type Judgement, judge, judgeLost } from './judge.ts';
import { isFailure, type Outcome } from './outcome.ts';
import { type Phase, phases } from './phase.ts';
import { isUpToDate, type Probe, probeTarget, refusalOf } from './probe.ts';
import { isConnectionError } from './session.ts';
import { confirmationTime, mayReboot } from './spec.ts';
import { noUnits, otherChanges, readUnits } from './units.ts';
import { readWords } from './words.ts';

const keptLog = 16 * 1024;

/** What is known about a host while it is deployed. */
interface State {
  phase: Phase;
  before: string | null;
  after: string | null;
}

/** How a deployment ended, without what `State` knows. */
type Ending = Judgement & Partial<Pick<Outcome, 'units' | 'others' | 'log'>>;

/** Deploys to one host. Never throws: whatever happens is an outcome. */
export async function deployHost(job: Job): Promise<Outcome> {
  const started = performance.now();
  const state: State = { phase: 'probe', before: null, after: null };
  const ended = await runPhases(job, state).catch((error: unknown) => failureOf(error, job, state));
  const ending = skippedIfOffline(ended, job, state);
  return {
    host: job.deployment.host,
    mode: job.config.mode,
    before: state.before,
    after: state.after,
    units: noUnits(),
    others: [],
    ...ending,
    seconds: (performance.now() - started) / 1000,
  };
}

/** A target that was not reached at all may be skipped; one that was lost later may not. */
function skippedIfOffline(ending: Ending, { config, deployment, context }: Job, { phase }: State): Ending {
  if (ending.outcome !== 'unreachable' || phase !== 'probe' || config.offline === 'fail') return ending;
  context.log.warning(`${deployment.host} is skipped. ${ending.message}`, { host: deployment.host });
  return { ...ending, outcome: 'skipped' };
}

/** The phases in order, until one of them decides the outcome. */
async function runPhases(job: Job, state: State): Promise<Ending> {
  const ready = await endedByCancel(job, () => prepare(job, state));
  if ('outcome' in ready) return ready;
  enter(job.config.mode === 'dry-activate' ? 'predict' : 'activate', job, state);
  return activateAndJudge(job, ready, state);
}

/** Everything before the activation. @returns the probe if the closure is on the target and may be activated. */
async function prepare(job: Job, state: State): Promise<Probe | Ending> {
  enter('probe', job, state);
  const probe = await probeTarget(job.remote, job.context);
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
  warnOfNoReboot(job);
  const pending = job.config.reboot === 'if-needed' && mayReboot(job) && probe.needsReboot.length > 0;
  if (isUpToDate(job.deployment, job.config, probe) && !pending) {
    const reboot = probe.needsReboot.length > 0 ? ` A reboot is needed: ${rebootSentence(probe.needsReboot)}.` : '';
    return { outcome: 'unchanged', message: `The target is already on this system.${reboot}` };
  }
  enter('copy', job, state);
  const failure = await copy(job, probe);
  if (failure !== null) return failure;
  const unready = await failedChecks(job);
  return unready === null ? probe : { outcome: 'refused', message: unready };
}

/** The machine that the deployment runs on is not rebooted, whatever the input says. */
function warnOfNoReboot(job: Job): void {
  const { deployment, config, context } = job;
  const { host, target } = deployment;
  if (config.reboot === 'never' || mayReboot(job) || target === null || !isLocal(target)) return;
  context.log.warning(`${host} is not rebooted: it is the machine that the deployment runs on.`, { host });
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

/** The pre-deploy checks that the runner does itself. @returns why the system must not be activated; null: it may. */
async function failedChecks({ deployment, remote, config, context }: Job): Promise<string | null> {
  if (config.mode === 'dry-activate') return null;
  const { http } = deployment.preDeployChecks;
  const failed = await failedOnce(http, webAddress(remote.target), context.signal);
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

async function activateAndJudge(job: Job, probe: Probe, state: State): Promise<Ending> {
  const activation = await activate(job, probe);
  const judgement = judgeActivation(job, activation, state);
  const { there } = readWords(activation.log);
  const ending = { ...judgement, units: readUnits(there), others: otherChanges(there) };
  return isFailure(judgement) ? { ...ending, log: activation.log.join('\n').slice(-keptLog) } : ending;
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
    return connectionFailure(error, remote.target, state.phase, remote.session.publicKey);
  }
  const why = error instanceof CommandError ? lastLines(error) : explain(error);
  return { outcome: 'failed', message: `Failed while ${doing}: ${why}` };
}

function lastLines(error: CommandError): string {
  const lines = error.stderr.trim().split('\n').slice(-4).join('\n');
  return error.failure.kind !== 'exit' || lines === '' ? error.message : lines;
}
