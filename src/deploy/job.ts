import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import type { DeployConfig, Deployment } from './deployment.ts';
import type { Remote } from './remote.ts';
import type { ReadSecret } from './secrets/content.ts';

/** The deployment of one host, with everything its phases need. */
export interface Job {
  deployment: Deployment;
  remote: Remote;
  config: DeployConfig;
  /** The host's secrets, in the order in which the source defines them. */
  secrets: readonly ReadSecret[];
  nix: Nix;
  context: Context;
}

/** Shows a few words about what is happening to the host. */
export function showProgress({ deployment, context }: Job, text: string): void {
  context.progress({ host: deployment.host, stage: 'deploy', state: 'running', text });
}

/** What aborted the signal of a job: the run was cancelled, or the host's time is over. */
export function whyAborted({ reason }: AbortSignal): string {
  return (reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
    ? 'Stopped by `host-timeout`'
    : 'Cancelled';
}
