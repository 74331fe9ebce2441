import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import type { Probe } from './answers.ts';
import type { Deployment } from './deployment.ts';
import { escalationOf, type Remote } from './remote.ts';

/**
 * Copies the closure to the target's store; what is there already is not sent.
 *
 * The paths' signatures are not asked for: they come over a connection that the target has let in, from a store whose
 * content the build or the archive's manifest vouches for. Nix on the target honours that only for its trusted users
 * (nix.conf(5), trusted-users); for another user its daemon is called by way of the privilege escalation.
 *
 * @param tell is given a few words whenever a further path is under way.
 * @throws CommandError
 */
export async function copyClosure(
  { toplevel, closure }: Deployment,
  remote: Remote,
  probe: Probe,
  nix: Nix,
  context: Context,
  tell: (text: string) => void,
): Promise<void> {
  const count = countPaths(tell);
  await nix.run('nix', copyArguments(toplevel, closure, remote, probe), {
    env: { ...nix.environment(), NIX_SSHOPTS: remote.session.sshOptions },
    signal: context.signal,
    onStderr: count,
  });
}

/** Reads the lines that Nix prints without a terminal: "copying 40 paths...", then "copying path '…' to '…'...". */
export function countPaths(tell: (text: string) => void): (line: string) => void {
  let total = 0;
  let begun = 0;
  return line => {
    const paths = /^copying (\d+) paths/.exec(line)?.[1];
    if (paths !== undefined) total = Number(paths);
    else if (line.startsWith("copying path '")) tell(`copying ${++begun} of ${Math.max(total, begun)} paths`);
  };
}

/** The words after `nix`. */
export function copyArguments(
  toplevel: string,
  closure: Deployment['closure'],
  { alias, target }: Pick<Remote, 'alias' | 'target'>,
  probe: Pick<Probe, 'trusted'>,
): string[] {
  const escalation = probe.trusted === true ? [] : escalationOf(target);
  const program =
    escalation.length === 0 ? '' : `?remote-program=${encodeURIComponent([...escalation, 'nix-daemon'].join(' '))}`;
  return [
    'copy',
    '--no-check-sigs',
    ...(target.substituteOnDestination ? ['--substitute-on-destination'] : []),
    ...(closure.from === 'archive' ? ['--from', `file://${closure.directory}`] : []),
    '--to',
    `ssh-ng://${alias}${program}`,
    toplevel,
  ];
}
