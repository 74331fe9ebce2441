import type { Log } from '../context.ts';
import { isFailure, outcomes } from '../deploy/outcome.ts';
import type { Place } from '../errors.ts';
import { groupsOf, namesOf } from './groups.ts';
import type { Run } from './run.ts';
import { summary } from './summary.ts';
import { failureKind, type HostFailure, type Verdict, verdict } from './verdict.ts';

export { keepComment } from './comment.ts';
export { commentText } from './comment-text.ts';
export { appendOutcome, findPreviewed } from './previewed.ts';
export { outcomeMarkdown } from './previewed-text.ts';
export type { Progress } from './progress.ts';
export { openProgress } from './progress.ts';
export type { Run } from './run.ts';
export { text } from './text.ts';
export type { Verdict } from './verdict.ts';
export { verdict } from './verdict.ts';

/** GitHub shows ten errors of a step ("Workflow commands", annotations). If there are more, the tenth names the others. */
const shownErrors = 10;

/** Lines of a program's output that are shown with a failure. The summary has more. */
const shownLines = 30;

/** Lines of a build's log that its annotation has. */
const annotatedLines = 5;

/**
 * Reports a run: an annotation for each host that failed or needs attention, and the summary. `run.error` is not reported:
 * the pipeline has logged it.
 *
 * @param write appends Markdown to the job summary; null: there is none.
 */
export async function report(
  run: Run,
  log: Log,
  write: ((markdown: string) => Promise<void>) | null,
): Promise<Verdict> {
  const judged = verdict(run);
  annotateFailures(judged.failures, log);
  for (const outcome of run.outcomes) {
    const { host, message } = outcome;
    const { next } = outcomes[outcome.outcome];
    if (!isFailure(outcome) && next !== null) log.warning(`${host}: ${message} ${next}`, { host });
  }
  await write?.(summary(run));
  return judged;
}

function annotateFailures(failures: readonly HostFailure[], log: Log): void {
  const groups = groupsOf(failures);
  const single = groups.length > shownErrors ? groups.slice(0, shownErrors - 1) : groups;
  for (const { hosts, failure } of single) {
    const printed = failure.log.trimEnd().split('\n').slice(-shownLines);
    // The message is at the start of an evaluation's trace, but at the end of a build's log.
    if (failure.stage === 'build') log.info(printed.map(each => `${failure.host}> ${each}`).join('\n'));
    const text = [`${namesOf(hosts)}: ${failureKind(failure)}: ${failure.why}`];
    if (failure.stage === 'build') text.push(...printed.slice(-annotatedLines), reproduction(failure));
    log.error(text.join('\n'), place(failure));
  }
  if (single.length < groups.length) {
    const rest = groups.slice(single.length).flatMap(({ hosts }) => hosts);
    log.error(`${rest.length} more hosts failed, see the summary: ${rest.join(', ')}`);
  }
}

function reproduction({ host }: HostFailure): string {
  return `To reproduce it: ferry build --hosts ${host}`;
}

function place({ host, file, line, column }: HostFailure): Place {
  return {
    host,
    ...(file === null ? {} : { file }),
    ...(line === null ? {} : { line }),
    ...(column === null ? {} : { column }),
  };
}
