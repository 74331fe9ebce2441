import { isLocal } from '../plan/fleet.ts';
import type { Deployment } from './deployment.ts';
import { gateCommand, throughGate } from './gate.ts';
import type { Job } from './job.ts';
import type { Probe } from './probe.ts';
import { escalationOf, type Remote } from './remote.ts';

/**
 * Copies the closure to the target's store. Paths that are already there are not sent.
 *
 * The signatures of the paths are not checked: they come over an authenticated connection, from a store whose content was
 * just built or verified against the archive's manifest. Nix on the target allows that to trusted users only (nix.conf(5),
 * trusted-users); for any other user its daemon is started with the privilege escalation. A gate has neither: its target
 * checks the signatures.
 *
 * @param onProgress called with a few words for each path that is started.
 * @throws CommandError
 */
export async function copyClosure(
  { deployment, remote, nix, context }: Pick<Job, 'deployment' | 'remote' | 'nix' | 'context'>,
  probe: Probe,
  onProgress: (text: string) => void,
): Promise<void> {
  // This machine's store, where it was built.
  if (isLocal(remote.target) && deployment.closure.from === 'store') return;
  await nix.run('nix', copyArguments(deployment, remote, probe), {
    env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
    signal: context.signal,
    onStderr: countPaths(onProgress),
  });
}

/** Reads the lines that Nix prints without a terminal: "copying 40 paths...", then "copying path '…' to '…'...". */
export function countPaths(onProgress: (text: string) => void): (line: string) => void {
  let total = 0;
  let started = 0;
  return line => {
    const paths = /^copying (\d+) paths/.exec(line)?.[1];
    if (paths !== undefined) total = Number(paths);
    else if (line.startsWith("copying path '")) onProgress(`copying ${++started} of ${Math.max(total, started)} paths`);
  };
}

/** The arguments of `nix`. */
export function copyArguments(
  { toplevel, closure }: Pick<Deployment, 'toplevel' | 'closure'>,
  { alias, target }: Pick<Remote, 'alias' | 'target'>,
  { trusted }: Pick<Probe, 'trusted'>,
): string[] {
  const gate = throughGate(target);
  const escalation = trusted === true ? [] : escalationOf(target);
  const daemon = gate ? gateCommand('receive') : [...escalation, 'nix-daemon'].join(' ');
  const program = daemon === 'nix-daemon' ? '' : `?remote-program=${encodeURIComponent(daemon)}`;
  return [
    'copy',
    ...(gate ? [] : ['--no-check-sigs']),
    ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
    ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
    ...(isLocal(target) ? [] : ['--to', `ssh-ng://${alias}${program}`]),
    toplevel,
  ];
}
