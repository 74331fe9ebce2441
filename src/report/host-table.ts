import { count, duration, size } from '../amounts.ts';
import type { Artifact } from '../archive/archive.ts';
import { type Outcome, outcomes } from '../deploy/outcome.ts';
import { escapeText } from './markdown.ts';
import type { Run } from './run.ts';
import { unitCounts } from './unit-changes.ts';
import { failureKind, type HostFailure } from './verdict.ts';

export const hostTableHead = '| Host | System | Closure | Archive | Outcome |\n|---|---|---:|---:|---|';

/** A line of the table for each host of the run. */
export function hostTableLines(run: Run, failures: readonly HostFailure[]): string[] {
  const names = new Set([
    ...(run.fleet?.hosts ?? []).map(({ name }) => name),
    ...run.built.map(({ host }) => host.name),
    ...run.archives.map(({ host }) => host),
    ...run.outcomes.map(({ host }) => host),
    ...failures.map(({ host }) => host),
  ]);
  return [...names].map(host => `| ${cellsOf(host, run, failures).join(' | ')} |`);
}

function cellsOf(host: string, run: Run, failures: readonly HostFailure[]): string[] {
  const built = run.built.find(each => each.host.name === host);
  const archive = run.archives.find(each => each.host === host);
  const outcome = run.outcomes.find(each => each.host === host);
  const failure = failures.find(each => each.host === host && each.outcome === null);
  const system = built?.host.system ?? archive?.system ?? run.fleet?.hosts.find(({ name }) => name === host)?.system;
  const closure = built?.ok
    ? `${size(built.closureBytes)} in ${count(built.closure.length, 'path')}`
    : archive && size(archive.closureBytes);
  return [
    escapeText(host),
    escapeText(system ?? ''),
    closure ?? '',
    archive ? archiveCell(archive, run.address) : '',
    outcomeCell(outcome, failure, built?.ok),
  ];
}

/** The size of an archive, as a link to where it can be downloaded. */
function archiveCell({ bytes, artifact }: Run['archives'][number], address: string | null): string {
  const page = artifact === null ? null : artifactPage(artifact, address);
  return page === null ? size(bytes) : `[${size(bytes)}](${page})`;
}

/**
 * The page from which GitHub serves an artifact. Source: actions/upload-artifact, which sets it as its output `artifact-url`.
 *
 * @param address the page of this run; null: unknown.
 */
function artifactPage({ run, id }: Artifact, address: string | null): string | null {
  const [, repository, own] = /^(https?:\/\/[\w./:-]+\/actions\/runs)\/(\d+)$/.exec(address ?? '') ?? [];
  return repository === undefined ? null : `${repository}/${run ?? own}/artifacts/${id}`;
}

function outcomeCell(
  outcome: Outcome | undefined,
  failure: HostFailure | undefined,
  built: boolean | undefined,
): string {
  if (failure !== undefined) return `❌ ${failureKind(failure)}`;
  if (outcome === undefined) return built === true ? '✅ built' : '';
  const { outcome: kind, seconds } = outcome;
  const { sign, hypothetical } = outcomes[kind];
  const time = seconds > 0 ? ` in ${duration(seconds)}` : '';
  return `${sign} ${kind}${time}${hypothetical ? `: ${unitCounts(outcome)}` : ''}`;
}
