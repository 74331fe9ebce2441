import { CommandError, explain } from '../errors.ts';
import { activate } from './activation.ts';
import { copyClosure } from './copy.ts';
import { connectionFailure, copyFailure } from './failure.ts';
import { type Job, showProgress } from './job.ts';
import { type Judgement, judge } from './judge.ts';
import { isFailure, type Outcome } from './outcome.ts';
import { type Phase, phases } from './phase.ts';
import { isUpToDate, type Probe, probeTarget, readProbe, refusalOf } from './probe.ts';
import { call } from './remote.ts';
import { isConnectionError } from './session.ts';
import { noUnits, readUnits } from './units.ts';

const keptLog = 16 * 1024;

/** What is known about a host while it is deployed. */
interface State {
  phase: Phase;
  before: string | null;
  after: string | null;
}

/** How a deployment ended, without what `State` knows. */
type Ending = Judgement & Partial<Pick<Outcome, 'units' | 'log'>>;

/** Deploys to one host. Never throws: whatever happens is an outcome. */
export async function deployHost(job: Job): Promise<Outcome> {
  const started = performance.now();
  const state: State = { phase: 'probe', before: null, after: null };
  const ending = await runPhases(job, state).catch((error: unknown) => failureOf(error, job, state));
  return {
    host: job.deployment.host,
    mode: job.config.mode,
    before: state.before,
    after: state.after,
    units: noUnits(),
    ...ending,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The phases in order, until one of them decides the outcome. */
async function runPhases(job: Job, state: State): Promise<Ending> {
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
  if (isUpToDate(job.deployment, job.config, probe)) {
    return { outcome: 'unchanged', message: 'The target is already on this system.' };
  }

  enter('copy', job, state);
  const failure = await copy(job, probe);
  if (failure !== null) return failure;

  enter(job.config.mode === 'dry-activate' ? 'predict' : 'activate', job, state);
  return activateAndJudge(job, state);
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

async function activateAndJudge(job: Job, state: State): Promise<Ending> {
  const { activation, log } = await activate(job);
  if (activation === null) return lostActivation(job, state);
  state.before = activation.before;
  state.after = activation.current;
  const judgement = judge(activation, job.deployment.toplevel, job.config.mode, log);
  const ending = { ...judgement, units: readUnits(log) };
  return isFailure(judgement) ? { ...ending, log: log.join('\n').slice(-keptLog) } : ending;
}

async function lostActivation({ remote }: Job, state: State): Promise<Judgement> {
  const probe = await call(remote, 'probe', [], { timeout: 30_000, fresh: true }).then(readProbe, () => null);
  state.after = probe?.current ?? null;
  const now =
    probe === null
      ? 'It does not respond now.'
      : `It now runs ${probe.current}, and its profile points to ${probe.profile}.`;
  return {
    outcome: 'failed',
    message: `The activation on the target ended without a result: it was killed, or the machine restarted. ${now}`,
  };
}

function failureOf(error: unknown, { remote, context }: Job, state: State): Judgement {
  const { doing, continuesAlone } = phases[state.phase];
  if (context.signal.aborted) {
    const then = continuesAlone ? 'the target continues by itself.' : 'the target was not changed.';
    return { outcome: 'failed', message: `Cancelled while ${doing}; ${then}` };
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
