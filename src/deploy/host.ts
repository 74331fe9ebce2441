import type { Context } from '../context.ts';
import { CommandError, explain } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { type Activation, type Answers, type Probe, readActivation, readProbe } from './answers.ts';
import { copyClosure } from './copy.ts';
import type { DeployConfig, Deployment } from './deployment.ts';
import { judge, notCopied, unreached } from './judge.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';
import { call, escalationOf, type Remote } from './remote.ts';
import { isBad } from './rollout.ts';
import { isConnectionError } from './session.ts';
import { noUnits, readUnits } from './units.ts';

const keptLog = 16 * 1024;

/** What is known of a host while it is deployed. */
interface Known {
  before: string | null;
  after: string | null;
}

/** Walks one host through: ask, copy, activate, read what is true. Never throws: whatever happens is an outcome. */
export async function deployHost(
  deployment: Deployment,
  remote: Remote,
  config: DeployConfig,
  nix: Nix,
  context: Context,
): Promise<Outcome> {
  const begun = Date.now();
  const known: Known = { before: null, after: null };
  const tell = (state: 'running' | 'done' | 'failed', text: string): void =>
    context.progress({ host: deployment.host, stage: 'deploy', state, text });
  const end = (outcome: OutcomeKind, message: string, units = noUnits()): Outcome => ({
    host: deployment.host,
    outcome,
    mode: config.mode,
    ...known,
    message,
    units,
    seconds: (Date.now() - begun) / 1000,
  });

  let step = 'asking the target';
  try {
    tell('running', step);
    const probe = readProbe(await ask(remote, context));
    if (probe === null)
      return end('failed', 'The target answered something else than our question: its login shell may end early.');
    known.before = probe.current;
    known.after = probe.current;
    const refusal = refuse(deployment, remote, probe);
    if (refusal !== null) return end('refused', refusal);
    if (isThere(deployment, config, probe)) return end('unchanged', 'The target already is on this system.');

    step = 'copying the closure';
    tell('running', step);
    try {
      await copyClosure(deployment, remote, probe, nix, context, text => tell('running', text));
    } catch (error) {
      if (context.signal.aborted || !(error instanceof CommandError)) throw error;
      const { outcome, message } = notCopied(error, remote.target, probe.free);
      return end(outcome, message);
    }

    step = config.mode === 'dry-activate' ? 'asking what would change' : 'activating';
    tell('running', step);
    const { activation, log } = await activate(deployment, remote, config, context, text => tell('running', text));
    if (activation === null) return end('failed', await lost(remote, known));
    known.before = activation.before;
    known.after = activation.current;
    const { outcome, message } = judge(activation, deployment.toplevel, config.mode, log);
    const ended = end(outcome, message, readUnits(log));
    return isBad(ended) ? { ...ended, log: log.join('\n').slice(-keptLog) } : ended;
  } catch (error) {
    if (context.signal.aborted) return end('failed', cancelled(step));
    if (isConnectionError(error)) {
      const { outcome, message } = unreached(error, remote.target, step, remote.session.publicKey);
      if (step === 'activating') known.after = null;
      return end(outcome, message);
    }
    if (error instanceof CommandError) return end('failed', `While ${step}: ${lastLines(error)}`);
    return end('failed', `While ${step}: ${explain(error)}`);
  }
}

async function ask(remote: Remote, context: Context): Promise<Answers> {
  const words = escalationOf(remote.target);
  const options = { timeout: 60_000, signal: context.signal };
  try {
    return await call(remote, 'probe', words, options);
  } catch (error) {
    // On the way to a connection that is to be shared, ssh throws away what its jump host says.
    if (!isConnectionError(error) || error.stderr.trim() !== '' || context.signal.aborted) throw error;
    return call(remote, 'probe', words, { ...options, fresh: true });
  }
}

function isThere({ toplevel }: Deployment, { mode }: DeployConfig, { current, profile }: Probe): boolean {
  const runs = current === toplevel;
  const named = profile === toplevel;
  if (mode === 'boot') return named;
  return mode === 'test' ? runs : runs && named;
}

/** Why this target cannot be deployed to; null when it can. */
function refuse({ system }: Deployment, { target }: Remote, probe: Probe): string | null {
  if (!runsOn(system, probe.machine)) {
    return `The target is a ${probe.machine} machine, the system is built for ${system}: is \`${target.address}\` the right address?`;
  }
  if (probe.nix === null)
    return 'There is no Nix on the target (no `nix-store` on the PATH of a session without terminal).';
  if (probe.root === 'no') {
    const words = target.privilegeEscalation.join(' ');
    return words === ''
      ? `The user ${target.user} is not root and has no privilege escalation: use root, or set it to \`sudo -n\`.`
      : `\`${words}\` does not make ${target.user} root without a password${probe.refusal === null ? '' : ` (${probe.refusal})`}.`;
  }
  return null;
}

/** Whether a kernel that calls itself `machine` runs programs of `system`. */
function runsOn(system: string, machine: string): boolean {
  const cpu = system.split('-')[0] ?? '';
  const also: Record<string, string[]> = {
    i686: ['x86_64', 'i386', 'i486', 'i586'],
    armv6l: ['armv7l', 'armv8l', 'aarch64'],
    armv7l: ['armv8l', 'aarch64'],
    powerpc64le: ['ppc64le'],
  };
  return cpu === machine || (also[cpu] ?? []).includes(machine);
}

interface Ended {
  activation: Activation | null;
  log: string[];
}

/** Starts the activation and follows it, over as many connections as it takes. */
async function activate(
  { host, toplevel, commit }: Deployment,
  remote: Remote,
  config: DeployConfig,
  context: Context,
  tell: (text: string) => void,
): Promise<Ended> {
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  const log: string[] = [];
  const onLog = (line: string): void => {
    log.push(line);
    context.log.debug(`${host}: ${line}`);
    tell(line);
  };
  const options = { privileged: true, onLog, signal: context.signal };
  const words = [config.who, host, commit ?? '', config.run ?? ''].map(word => word.replaceAll(/[^\w ./:@#-]/g, ' '));
  let answers: Answers | undefined;
  let cut = 0;
  while (answers === undefined) {
    try {
      answers =
        cut === 0
          ? await call(remote, 'run', [id, config.mode, toplevel, ...words], options)
          : await call(remote, 'watch', [id, String(log.length)], { ...options, fresh: true });
    } catch (error) {
      if (!isConnectionError(error) || context.signal.aborted) throw error;
      cut ||= Date.now();
      if (Date.now() - cut > config.confirmTimeout * 1000) throw error;
      tell('the connection was cut; coming back');
      await new Promise(resolve => setTimeout(resolve, 1_000));
    }
  }
  const activation = readActivation(answers);
  // What is true is what the target says in the end; the run's directory there is no longer needed.
  await call(remote, 'finish', [id], { privileged: true, timeout: 30_000, fresh: cut > 0 }).catch(() => undefined);
  return { activation, log };
}

async function lost(remote: Remote, known: Known): Promise<string> {
  const probe = await call(remote, 'probe', [], { timeout: 30_000, fresh: true }).then(readProbe, () => null);
  known.after = probe?.current ?? null;
  const state =
    probe === null ? 'and does not answer now' : `and now runs ${probe.current}, with its profile at ${probe.profile}`;
  return `The target lost the activation (it was killed, or the machine restarted), ${state}.`;
}

function cancelled(step: string): string {
  return step === 'activating'
    ? 'Cancelled while the target was activating; it goes on by itself.'
    : `Cancelled while ${step}; the target runs what it ran before.`;
}

function lastLines(error: CommandError): string {
  const lines = error.stderr.trim().split('\n').slice(-4).join('\n');
  return error.failure.kind !== 'exit' || lines === '' ? error.message : lines;
}
