import { UserError } from '../errors.ts';
import type { Deployment } from './deployment.ts';

/**
 * A machine runs one system, so that no two hosts may have the same target. Two names of one machine are not recognized here:
 * its lock makes the second deployment wait, and that one is refused, since the machine is not what it was planned for.
 *
 * @throws UserError that names both hosts.
 */
export function checkDistinct(hosts: readonly Pick<Deployment, 'host' | 'target' | 'buildOnly'>[]): void {
  const known = new Map<string, string>();
  for (const { host, target, buildOnly } of hosts) {
    if (target === null || buildOnly) continue;
    // The same address behind another jump host, or at another port, is another machine.
    const { address, port, sshOptions } = target;
    const place = JSON.stringify([address.toLowerCase(), port ?? 22, sshOptions]);
    const other = known.get(place);
    if (other !== undefined) {
      throw new UserError(`The hosts ${other} and ${host} have the same target, ${address}.`, {
        where: { input: 'targets' },
        cure: 'Give each host its own address in `targets`, or select one of them with `hosts`.',
      });
    }
    known.set(place, host);
  }
}
