import type { Log } from '../context.ts';
import type { Place } from '../errors.ts';
import type { Run } from './run.ts';
import { summary } from './summary.ts';
import { type HostFailure, type Verdict, verdict } from './verdict.ts';

export { commentLimit, keepComment } from './comment.ts';
export type { Progress } from './progress.ts';
export { openProgress } from './progress.ts';
export type { Run } from './run.ts';
export { summary } from './summary.ts';
export { text } from './text.ts';
export type { Verdict } from './verdict.ts';
export { verdict } from './verdict.ts';

/** GitHub shows ten errors of a step ("Workflow commands": annotations); the last of them tells of the others. */
const shown = 10;

/** Lines of what a program printed that are shown with a failure; the summary has more of them. */
const tail = 30;

/**
 * Reports a run: an annotation for each host that failed, and the summary to `write`. `run.error` is left to the entry,
 * which prints it where it prints all errors that end a run.
 *
 * @param write appends Markdown to the job summary; null: there is none.
 */
export async function report(
  run: Run,
  log: Log,
  write: ((markdown: string) => Promise<void>) | null,
): Promise<Verdict> {
  const judged = verdict(run);
  const { failures } = judged;
  const single = failures.length > shown ? failures.slice(0, shown - 1) : failures;
  for (const failure of single) {
    const printed = failure.log.trimEnd().split('\n').slice(-tail);
    // A trace of an evaluation reads from its head, which is the message; a build's log from its end.
    if (failure.stage === 'build') log.info(printed.map(each => `${failure.host}> ${each}`).join('\n'));
    log.error(line(failure), place(failure));
  }
  if (single.length < failures.length) {
    const rest = failures.slice(single.length).map(({ host }) => host);
    log.error(`${rest.length} further hosts failed, see the summary: ${rest.join(', ')}`);
  }
  for (const { host, outcome, message } of run.outcomes) {
    if (outcome === 'needs-reboot') log.warning(`${host}: ${message}`, { host });
  }
  await write?.(summary(run));
  return judged;
}

function line({ host, stage, outcome, why }: HostFailure): string {
  return `${host}: ${outcome ?? (stage === 'plan' ? 'not evaluated' : 'not built')}: ${why}`;
}

function place({ host, file, line: number, column }: HostFailure): Place {
  return {
    host,
    ...(file === null ? {} : { file }),
    ...(number === null ? {} : { line: number }),
    ...(column === null ? {} : { column }),
  };
}
