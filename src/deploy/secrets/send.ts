import { randomBytes } from 'node:crypto';
import { CommandError } from '../../errors.ts';
import type { Job } from '../job.ts';
import type { Judgement } from '../judge.ts';
import { call } from '../remote.ts';
import type { Reply } from '../reply.ts';
import { numbersIn, reportOf, type SecretReport, secretSentences } from './report.ts';
import { stageSecrets } from './stage.ts';

/** How the secrets of a host were sent without an activation. */
export type Sent = Judgement & { secrets?: SecretReport };

/** Milliseconds beyond the time for the lock that replacing secrets and running their actions may take. */
const replaceTime = 600_000;

/**
 * Sends a host's secrets to the system that runs. All of them are replaced, or none.
 *
 * @param id identifies the secrets on the target; they have been staged there.
 * @param upToDate what to say of the system.
 * @throws CommandError if the connection fails; the target completes what it has begun.
 */
export async function replaceSecrets(job: Job, id: string, upToDate: string): Promise<Sent> {
  const { remote, secrets, config } = job;
  const reply = await call(remote, 'secrets', [id], {
    privileged: true,
    timeout: config.lockTimeout * 1000 + replaceTime,
    onLog: line => job.context.log.debug(`${remote.host}: ${line}`),
  });
  const why = sentence(reply.values.get('why') ?? 'the reply is incomplete');
  switch (reply.values.get('end')) {
    case 'secrets': {
      const { values } = reply;
      const report = reportOf(secrets, numbersIn(values.get('changed')), numbersIn(values.get('volatile')));
      const outcome = report.changed.length > 0 ? 'deployed' : 'unchanged';
      const none = outcome === 'unchanged' ? ' Its secrets are as they should be.' : '';
      return { outcome, message: `${upToDate}${none}${secretSentences(report, config.mode)}`.trim(), secrets: report };
    }
    case 'busy':
    case 'refused':
      return { outcome: 'refused', message: `${why} Nothing was changed.` };
    case 'taken-back':
      return { outcome: 'rolled-back', message: `${why} The secrets are as they were.` };
    default:
      return { outcome: 'failed', message: `${why} Some secrets may be new, and others old.` };
  }
}

/**
 * What a deployment would do about the secrets of a host, for a dry run. No content leaves this machine: the target answers
 * with a digest of what it has, made with a key of this run.
 *
 * @returns the report, and what is wrong with the secrets on the target, in words; null if nothing is.
 */
export async function compareSecrets(job: Job, id: string): Promise<{ report: SecretReport; problems: string | null }> {
  const { remote, secrets, config, context, deployment } = job;
  const key = randomBytes(32).toString('hex');
  const sender = { who: config.who, lockTimeout: config.lockTimeout };
  await stageSecrets(remote, id, secrets, sender, { key, signal: context.signal });
  const reply = await call(remote, 'compare', [id, deployment.toplevel], { privileged: true, timeout: 60_000 });
  const { values } = reply;
  if (values.get('end') !== 'compare') throw new CommandError(['ssh'], { kind: 'exit', code: 1 }, 'the reply was cut');
  const report = reportOf(secrets, [], numbersIn(values.get('volatile')));
  const named = (kind: ReturnType<typeof compared>): string[] =>
    secrets.flatMap((each, index) => (compared(each, index + 1, values, key) === kind ? [each.secret.name] : []));
  return {
    report: { ...report, changed: named('changed'), unchanged: named('unchanged'), unknown: named('unknown') },
    problems: values.get('problems') || null,
  };
}

function compared(
  { content }: Job['secrets'][number],
  number: number,
  values: Reply['values'],
  key: string,
): 'changed' | 'unchanged' | 'unknown' {
  const state = values.get(`state-${number}`);
  if (state !== 'same') return 'changed';
  if (content === null) return 'unknown';
  return values.get(`digest-${number}`) === content.digest(key) ? 'unchanged' : 'changed';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
