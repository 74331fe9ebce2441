import { changesMachine } from './deploy/outcome.ts';
import { wouldChange } from './preview/preview.ts';
import { changesJson } from './report/preview-json.ts';
import type { Run } from './report/run.ts';

/** The outputs of a step for later steps and jobs, as text. */
export type Outputs = Record<'hosts' | 'matrix' | 'archives' | 'outcomes' | 'changed' | 'changes' | 'reboot', string>;

/** GitHub's hosted runner that runs programs of a system natively; other systems are emulated on the first one. */
const runners: Record<string, string> = { 'x86_64-linux': 'ubuntu-24.04', 'aarch64-linux': 'ubuntu-24.04-arm' };

/**
 * Bytes of the output `changes`, at most: all outputs of a job share 1 MB, and a step that gets it in an environment variable
 * can have 128 KiB there (Linux, MAX_ARG_STRLEN).
 */
const changesLimit = 100_000;

/** The outputs of a run, as `action.yml` describes them. */
export function outputsOf(run: Run): Outputs {
  const hosts = run.fleet?.hosts ?? [];
  const known = run.previews.filter(preview => preview.known);
  return {
    hosts: JSON.stringify(hosts.map(({ name }) => name)),
    matrix: JSON.stringify({
      include: hosts.map(({ name, system }) => ({ host: name, system, runner: runners[system] ?? 'ubuntu-24.04' })),
    }),
    archives: JSON.stringify(
      run.archives.map(({ host, toplevel, bytes, digest, artifact }) => ({
        host,
        artifact: artifact?.name ?? null,
        id: artifact?.id ?? null,
        run: artifact?.run ?? null,
        digest,
        toplevel,
        bytes,
      })),
    ),
    // Without the logs, because all outputs of a job share 1 MB.
    outcomes: JSON.stringify(Object.fromEntries(run.outcomes.map(({ log: _, ...each }) => [each.host, each]))),
    changed: String(run.outcomes.some(changesMachine) || run.previews.some(each => wouldChange(each) === true)),
    changes: changesJson(run.previews, changesLimit),
    reboot: JSON.stringify(known.filter(({ change }) => change.reboot.length > 0).map(({ host }) => host)),
  };
}
