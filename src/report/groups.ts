import type { HostFailure } from './verdict.ts';

/** Hosts that failed for one reason. */
export interface FailureGroup {
  hosts: string[];
  /** That of the first host. */
  failure: HostFailure;
}

/**
 * Failures by reason and place, in the order in which each first occurs: hosts share what they are made of. What happened on
 * targets is one failure for each host.
 */
export function groupsOf(failures: readonly HostFailure[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const failure of failures) {
    const { host, stage, outcome, why, file, line, log } = failure;
    // The trace of an evaluation differs in the names of hosts.
    const own = stage === 'plan' ? null : stage === 'build' ? log : host;
    const key = JSON.stringify([stage, outcome, why, file, line, own]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hosts: [host], failure });
    else group.hosts.push(host);
  }
  return [...groups.values()];
}

/** Names of hosts on one line: several as their number and the names. */
export function namesOf(hosts: readonly string[]): string {
  return hosts.length === 1 ? `${hosts[0]}` : `${hosts.length} hosts (${hosts.join(', ')})`;
}
