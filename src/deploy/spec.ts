import { type HealthChecks, isLocal } from '../plan/fleet.ts';
import type { Deployment } from './deployment.ts';
import type { Job } from './job.ts';
import { expectedSystems, type Probe } from './probe.ts';

/**
 * Seconds that a target waits for the confirmation of the runner; 0: it does not wait. HTTP health checks are part of what
 * is confirmed, so that they have their time before it, even if nothing else has to be confirmed. Nobody can be locked out
 * of a machine that deploys itself.
 */
export function confirmationTime({ deployment, config }: Pick<Job, 'deployment' | 'config'>): number {
  const proof = deployment.target !== null && isLocal(deployment.target) ? 0 : config.confirmTimeout;
  return proof + (deployment.healthChecks.http.length > 0 ? config.healthTimeout : 0);
}

export function rebootRequested({ mode, reboot }: Job['config']): boolean {
  return (mode === 'boot' || mode === 'switch') && reboot !== 'never';
}

/**
 * Whether the target may be rebooted. Not the machine that the deployment runs on, which could not report it; and not one
 * with secrets: those in memory would be missing when its services start, and could fail its health checks.
 */
export function mayReboot({ deployment, config }: Pick<Job, 'deployment' | 'config'>): boolean {
  const local = deployment.target !== null && isLocal(deployment.target);
  return rebootRequested(config) && !local && deployment.secrets.length === 0;
}

/** Seconds for everything else that a target does in an activation, such as the boot loader. */
const otherSteps = 3600;

/**
 * Seconds after which no honest target still works on an activation: the sum of its time limits, with up to four calls of
 * switch-to-configuration on the way there and back, and two reboots.
 */
export function longestActivation({ deployment, config }: Pick<Job, 'deployment' | 'config'>): number {
  const { lockTimeout, activationTimeout, healthTimeout } = config;
  const checks = deployment.preDeployChecks.cmd.reduce((sum, { timeout }) => sum + timeout, 0);
  const confirming = confirmationTime({ deployment, config });
  const reboots = mayReboot({ deployment, config }) ? 5 * config.rebootTimeout : 0;
  return lockTimeout + checks + 4 * activationTimeout + 2 * healthTimeout + confirming + reboots + otherSteps;
}

/** The arguments of the verb `run` after the identifier (`KEYS` in main.sh). */
export function specOf(job: Pick<Job, 'deployment' | 'config'>, probe: Probe, nonce: string): string[] {
  const { deployment, config } = job;
  const { host, toplevel, origin } = deployment;
  const spec: Record<string, string | number | null> = {
    ...{ mode: config.mode, toplevel, who: config.who, host, run: config.run },
    ...{ commit: origin.commit, repository: origin.repository, branch: origin.branch, committed: origin.committed },
    expect: expectedSystems(probe).join('\n'),
    nonce,
    confirm: confirmationTime(job),
    'failed-units': config.failedUnits,
    'allow-older': String(config.allowOlder),
    'lock-wait': config.lockTimeout,
    'activate-limit': config.activationTimeout,
    'health-limit': config.healthTimeout,
    secrets: deployment.secrets.length > 0 && config.mode !== 'dry-activate' ? 'true' : null,
    reboot: mayReboot(job) ? config.reboot : 'never',
    'reboot-limit': config.rebootTimeout,
  };
  const words = Object.entries(spec).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]));
  return [...words, ...checksOf(deployment)];
}

/** The part of these arguments that are commands for the target: its checks. */
export function checksOf({
  preDeployChecks,
  healthChecks,
}: Pick<Deployment, 'preDeployChecks' | 'healthChecks'>): string[] {
  const all = { ...commands('check', preDeployChecks.cmd), ...commands('health', healthChecks.cmd) };
  return Object.entries(all).map(([key, value]) => `${key}=${value}`);
}

function commands(kind: 'check' | 'health', checks: HealthChecks['cmd']): Record<string, string | number> {
  const entries = checks.flatMap(({ description, cmd, period, timeout }, index) => {
    const key = `${kind}-${index + 1}`;
    return [
      // As morph passes them to ssh: a shell on the target reads the words again.
      [`${key}.command`, cmd.join(' ')],
      [`${key}.description`, description],
      [`${key}.timeout`, timeout],
      [`${key}.period`, period],
    ];
  });
  return Object.fromEntries(entries) as Record<string, string | number>;
}
