import stringWidth from 'string-width';
import { count, duration, size } from '../amounts.ts';
import { type Mode, type Outcome, outcomes } from '../deploy/outcome.ts';
import { type Host, isLocal, targetName } from '../plan/fleet.ts';
import { column } from './cells.ts';
import { groupsOf, namesOf } from './groups.ts';
import { plain } from './markdown.ts';
import { nextSteps } from './next-steps.ts';
import { oneSided } from './preview-groups.ts';
import { previewLines, previewState } from './preview-text.ts';
import type { Run } from './run.ts';
import { unitLines } from './unit-changes.ts';
import { verdict } from './verdict.ts';

/**
 * A run for a person at a terminal: a line for each host, the failures, the next steps, the time of each stage.
 *
 * @param colour whether the changes of a preview are coloured.
 */
export function text(run: Run, colour = false): string {
  const { failures } = verdict(run);
  const hosts = run.fleet?.hosts.map(({ name, system }) => ({ name, system })) ?? [];
  const removed = oneSided(run.previews, 'removed').map(name => ({ name, system: '' }));
  const listed =
    hosts.length > 0 ? [...hosts, ...removed] : run.archives.map(({ host, system }) => ({ name: host, system }));
  const width = Math.min(32, Math.max(4, ...listed.map(({ name }) => stringWidth(name))));
  const lines = listed.map(
    ({ name, system }) => `${column(name, width)}  ${column(system, 14)}  ${stateOf(run, name)}`,
  );
  lines.push(...previewLines(run.previews, colour));
  for (const outcome of run.outcomes) lines.push(...planLines(outcome));
  for (const { hosts, failure } of groupsOf(failures)) {
    const { stage, why, file, line } = failure;
    // The line of the host has said it.
    if (stage === 'deploy' && listed.some(({ name }) => hosts.includes(name))) continue;
    const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
    lines.push(`${plain(namesOf(hosts))}: ${stage} failed: ${plain(why)}${place}`);
  }
  for (const { kind, next, command } of nextSteps(run)) {
    lines.push(`next step (${kind}): ${next}${command === null ? '' : ` ${plain(command)}`}`);
  }
  const times = Object.entries(run.timings).map(([stage, seconds]) => `${stage} ${duration(seconds)}`);
  if (times.length > 0) lines.push(`time: ${times.join(', ')}`);
  return lines.map(line => `${line.trimEnd()}\n`).join('');
}

/** What a dry run found, a line for each kind of change. */
function planLines(outcome: Outcome): string[] {
  if (!outcomes[outcome.outcome].hypothetical) return [];
  const changes = [...unitLines(outcome).map(({ words, names }) => `${words}: ${names.join(', ')}`), ...outcome.others];
  return changes.map(change => `${plain(outcome.host)}: ${plain(change)}`);
}

/** How far a host came: its outcome and the folder of its archive, or else its toplevel or derivation. */
function stateOf(run: Run, name: string): string {
  const outcome = run.outcomes.find(({ host }) => host === name);
  const archive = run.archives.find(({ host }) => host === name);
  const built = run.built.find(({ host }) => host.name === name);
  const planned = run.fleet?.hosts.find(host => host.name === name);
  const preview = run.previews.find(({ host }) => host === name);
  const parts: string[] = [];
  if (preview !== undefined) parts.push(previewState(preview));
  if (outcome !== undefined) parts.push(`${outcome.outcome}: ${plain(outcome.message)}`);
  if (archive !== undefined) parts.push(`${size(archive.bytes)} in ${archive.directory}`);
  if (parts.length > 0) return parts.join('; ');
  if (built?.ok) return `${built.toplevel} (${size(built.closureBytes)} in ${count(built.closure.length, 'path')})`;
  if (built !== undefined) return 'not built';
  return planned === undefined ? '' : [planned.toplevel.drvPath, ...destinationOf(planned, run.mode)].join('; ');
}

/** Where a planned host would be deployed, and what goes with it. */
function destinationOf({ target, buildOnly, unusable, ...host }: Host, mode: Mode): string[] {
  if (buildOnly) return ['is only built'];
  if (unusable !== null) return [`cannot be deployed: ${plain(unusable)}`];
  if (target === null) return ['has no target'];
  const place = isLocal(target) ? 'this machine' : targetName(target);
  const checks = [host.healthChecks, host.preDeployChecks].flatMap(({ cmd, http }) => [...cmd, ...http]);
  const secrets = host.secrets.length === 0 ? [] : [count(host.secrets.length, 'secret')];
  const counted = checks.length === 0 ? [] : [count(checks.length, 'check')];
  const skipsChecks = mode === 'dry-activate' && counted.length > 0;
  const others = [...secrets, ...(skipsChecks ? [] : counted)].join(' and ');
  const left = skipsChecks ? [`mode ${mode} does not run ${counted[0]}`] : [];
  return [`would go to ${plain(place)}${others === '' ? '' : ` with ${others}`}`, ...left];
}
