import type { Nix } from '../nix/index.ts';
import { isLocal } from '../plan/fleet.ts';
import type { Deployment } from './deployment.ts';
import { gateCommand, throughGate } from './gate.ts';
import type { Job } from './job.ts';
import type { Probe } from './probe.ts';
import { escalationOf, type Remote } from './remote.ts';

/**
 * Copies the closure to the target's store, with its signatures. Paths that are already there are not sent.
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
  { deployment, remote, config, nix, context }: Pick<Job, 'deployment' | 'remote' | 'config' | 'nix' | 'context'>,
  probe: Probe,
  onProgress: (text: string) => void,
): Promise<void> {
  // This machine's store, where it was built.
  if (isLocal(remote.target) && deployment.closure.from === 'store') return;
  const options = {
    env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
    signal: context.signal,
  };
  await nix.run('nix', copyArguments(deployment, remote, probe), { ...options, onStderr: countPaths(onProgress) });
  if (config.signingKey === null || throughGate(remote.target) || isLocal(remote.target)) return;
  onProgress('copying signatures');
  await nix.run('nix', signatureArguments(deployment, remote, probe, nix), options);
}

/**
 * The arguments of `nix` that give a target the signatures of paths that it has already: `nix copy` skips these. Without them, a
 * gate that it gets later would refuse what shares a path with a system from before.
 */
function signatureArguments(
  { toplevel, closure }: Pick<Deployment, 'toplevel' | 'closure'>,
  remote: Pick<Remote, 'alias' | 'target'>,
  probe: Pick<Probe, 'trusted'>,
  { store }: Pick<Nix, 'store'>,
): string[] {
  const from = closure.from === 'archive' ? `file://${closure.directory}` : store;
  return ['store', 'copy-sigs', '--recursive', '--substituter', from, '--store', storeOf(remote, probe), toplevel];
}

/** The target's store, as Nix's commands call it. */
function storeOf({ alias, target }: Pick<Remote, 'alias' | 'target'>, { trusted }: Pick<Probe, 'trusted'>): string {
  const escalation = trusted === true ? [] : escalationOf(target);
  const daemon = throughGate(target) ? gateCommand('receive') : [...escalation, 'nix-daemon'].join(' ');
  const program = daemon === 'nix-daemon' ? '' : `?remote-program=${encodeURIComponent(daemon)}`;
  return `ssh-ng://${alias}${program}`;
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
  probe: Pick<Probe, 'trusted'>,
): string[] {
  return [
    'copy',
    ...(throughGate(target) ? [] : ['--no-check-sigs']),
    ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
    ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
    ...(isLocal(target) ? [] : ['--to', storeOf({ alias, target }, probe)]),
    toplevel,
  ];
}
