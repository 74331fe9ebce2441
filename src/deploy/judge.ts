import { rebootSentence } from './booted.ts';
import type { Mode, Outcome } from './outcome.ts';
import type { Reply } from './reply.ts';
import type { Facts, Status } from './status.ts';
import { readUnits } from './units.ts';
import { failedUsers, lastWords, programError, readWords, reasonOf, type Words } from './words.ts';

/** A kind of outcome and the sentence that explains it. */
export type Judgement = Pick<Outcome, 'outcome' | 'message'>;

/** What is to be judged: the facts that the target read back, what was printed, and what was wanted. */
export interface Evidence {
  status: Status;
  log: readonly string[];
  toplevel: string;
  mode: Mode;
  failedUnits: 'degrade' | 'rollback' | 'ignore';
  /** Why the runner could not confirm the activation; null if it could, or did not have to. */
  obstacle: string | null;
}

/**
 * What an activation means. The outcome follows from what was read back, never from what was attempted; the reason comes
 * from what switch-to-configuration printed, since its exit codes are ambiguous.
 */
export function judge(evidence: Evidence): Judgement {
  const { outcome, message } = judgeEnd(evidence);
  const settled = settledSentence(evidence.status);
  return { outcome, message: settled === null ? message : `${message} ${settled}` };
}

function judgeEnd(evidence: Evidence): Judgement {
  const { status, mode } = evidence;
  const contradiction = contradictionOf(evidence);
  if (contradiction !== null) return { outcome: 'failed', message: contradiction };
  switch (status.result) {
    case 'finished':
      return mode === 'dry-activate' ? planned(status) : finished(evidence);
    case 'refused':
      return { outcome: 'refused', message: `${sentence(reason(evidence))} Nothing was changed.` };
    case 'went-back':
      return { outcome: 'rolled-back', message: `${sentence(reason(evidence))} ${wentBack(status, mode)}` };
    case 'stuck':
      return { outcome: 'failed', message: `${sentence(reason(evidence))} ${stuck(evidence)}` };
  }
}

/** What is read back must agree with how it ended; if not, exactly what is true. */
function contradictionOf({ status, toplevel, mode }: Evidence): string | null {
  if (status.result === 'stuck') return null;
  const wanted = wantedFacts(status, toplevel, mode);
  if (wanted === null) return null;
  const different = (Object.keys(wanted) as (keyof Facts)[]).some(
    key => wanted[key] !== undefined && wanted[key] !== status.now[key],
  );
  if (!different) return null;
  const claims = {
    finished: 'The activation reported success',
    refused: 'The activation was refused',
    'went-back': 'The activation was taken back',
  };
  return `${claims[status.result]}, but this is not what is true: ${factsSentence(status.now)}`;
}

/** What must be true; left out: anything may be. A boot loader that cannot be read proves nothing. */
function wantedFacts(
  status: Pick<Status, 'result' | 'phase' | 'before' | 'now' | 'activated' | 'rebooted'>,
  toplevel: string,
  mode: Mode,
): Partial<Facts> | null {
  const { before, now, result, phase } = status;
  if (mode === 'dry-activate') return null;
  if (result !== 'finished') {
    // Refused before it had looked at the machine.
    if (phase === 'lock' || phase === 'look') return null;
    // After a restart in between, the machine runs what its boot loader started.
    return { profile: before.profile, ...(status.rebooted ? {} : { current: before.current }) };
  }
  const boot = now.boot === null ? {} : { boot: toplevel };
  return {
    ...(status.activated ? { current: toplevel } : {}),
    ...(mode === 'test' ? {} : { profile: toplevel, ...boot }),
  };
}

function factsSentence({ current, profile, boot }: Facts): string {
  if (current !== null && current === profile && current === boot) return `it runs and boots ${current}.`;
  const loader = boot === null ? 'the default of its boot loader cannot be read' : `its boot loader starts ${boot}`;
  return `it runs ${current ?? 'no NixOS system'}, its profile points to ${profile ?? 'nothing'}, and ${loader}.`;
}

function planned({ code, needsReboot }: Status): Judgement {
  const reboot =
    needsReboot.length > 0
      ? ` A reboot would be needed: ${rebootSentence(needsReboot)}.`
      : code === 100
        ? ' A reboot would be needed: its init interface is another one.'
        : '';
  return { outcome: 'planned', message: `This is what would change.${reboot} Nothing was changed.` };
}

const achieved: Record<Mode, string> = {
  none: '',
  preview: '',
  'dry-activate': '',
  secrets: '',
  test: 'Runs the new system until the next boot.',
  boot: 'The next boot starts the new system.',
  switch: 'Runs and boots the new system.',
};

function finished(evidence: Evidence): Judgement {
  const { status, mode, failedUnits } = evidence;
  if (mode === 'switch' && !status.activated) {
    const message = 'The new system changes the init interface, so it is not running yet. The next boot starts it.';
    return { outcome: 'needs-reboot', message };
  }
  const failed = failures(evidence);
  // What is booted next needs no other reboot than the one that is expected.
  const pending = status.activated && status.needsReboot.length > 0;
  const reboot = pending ? ` A reboot is needed: ${rebootSentence(status.needsReboot)}.` : '';
  // Its reboot has made it the running system.
  const booted = status.rebooted && status.activated && mode !== 'test';
  const done = `${booted ? `Was rebooted. ${achieved.switch}` : achieved[mode]}${reboot}`;
  const outcome = pending ? 'needs-reboot' : 'deployed';
  if (failed === null) return { outcome, message: done };
  if (failedUnits === 'ignore') return { outcome, message: `${done} Ignored: ${failed}.` };
  return { outcome: 'degraded', message: `The system was switched, but ${failed}.${reboot}` };
}

/** What failed although the system was switched, in words; null if nothing did. */
function failures({ status, log }: Evidence): string | null {
  const { there } = readWords(log);
  const units = [...new Set([...status.failedUnits, ...readUnits(there).failed])];
  const users = failedUsers(there);
  if (units.length === 0 && users.length === 0 && status.code !== 4) return null;
  const down = status.missingUnits.filter(unit => !units.includes(unit));
  const parts = [
    ...(units.length > 0 ? [`these units failed: ${units.join(', ')}`] : []),
    ...(down.length > 0 ? [`these units do not run any more: ${down.join(', ')}`] : []),
    ...users.map(user => `the user units of ${user} could not be switched`),
  ];
  return parts.length > 0 ? parts.join('; ') : 'switch-to-configuration reports failed units (exit code 4)';
}

/** Why it did not succeed, without a full stop. */
function reason(evidence: Evidence): string {
  const { status, obstacle } = evidence;
  const { phase } = status;
  const why = status.why.replace(goingBack, '');
  if (phase === 'lock' && why.startsWith('another activation')) return `${why}. Run again when it has ended`;
  // A rejection is in the runner's own words already.
  if (phase === 'confirm' && obstacle !== null && !why.startsWith('rejected')) return `${why}: ${obstacle}`;
  if (phase !== 'activate' && phase !== 'commit') return why;
  // A dry run that another run ended: what it had printed by then is not why.
  if (evidence.mode === 'dry-activate' && status.code === null) return why;
  // Only `test` means that by this code.
  if (status.verb === 'test' && status.code === 100) return `${why}: its init interface is another one`;
  const { there } = readWords(evidence.log);
  return reasonOf(there) ?? inWords(why, status, there);
}

function inWords(why: string, { code }: Status, there: Words['there']): string {
  const printed = code === 'timeout' ? '' : lastWords(there);
  return printed === '' || why === '' ? why || printed : `${why}: ${printed}`;
}

function sentence(text: string): string {
  const trimmed = text.trim().replace(/[.:]$/, '');
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
}

function wentBack({ now, rebooted }: Status, mode: Mode): string {
  if (rebooted) return `The target was restarted in between; ${factsSentence(now)}`;
  if (now.current === null) return 'The target is as it was before: without a NixOS system.';
  return mode === 'boot' ? 'The target boots its previous system.' : `The target is back on ${now.current}.`;
}

/** What the target adds to the reason if it could not go back wholly. */
const goingBack = /(?:^|; )going back: (.*)$/;

/** The target could not take everything back: what is wrong, and what is true. */
function stuck({ status, log }: Evidence): string {
  const problem = goingBack.exec(status.why)?.[1];
  const said = status.backCode === null || status.backCode === 0 ? null : programError(readWords(log).back);
  const failed = problem === undefined ? '' : `The target could not go back wholly: ${problem}`;
  return `${failed}${failed === '' ? '' : said === null ? '. ' : ` (${said}). `}Now ${factsSentence(status.now)}`;
}

/**
 * What an activation without a status means: it was killed, or the machine restarted. The target has settled it.
 *
 * @param reply what the verb `settle` answered; null if there was no answer.
 */
export function judgeLost({ reply, toplevel, mode }: { reply: Reply | null; toplevel: string; mode: Mode }): Judgement {
  const lost = 'The activation ended without a result: it was killed, or the machine restarted.';
  const text = (key: string): string | null => reply?.values.get(key) || null;
  const now = { current: text('current'), profile: text('profile'), boot: text('boot') };
  if (reply === null) return { outcome: 'failed', message: `${lost} The target does not answer now.` };
  const facts = `Now ${factsSentence(now)}`;
  if (text('end') !== 'settle')
    return { outcome: 'failed', message: `${lost} ${sentence(text('why') ?? '')} ${facts}` };
  if (mode === 'dry-activate') return { outcome: 'failed', message: `${lost} A dry run changes nothing.` };
  if (text('settled') === 'finished') {
    const expected =
      wantedFacts(
        { result: 'finished', phase: 'report', before: now, now, rebooted: false, activated: mode !== 'boot' },
        toplevel,
        mode,
      ) ?? {};
    const agrees = Object.entries(expected).every(([key, value]) => now[key as keyof Facts] === value);
    if (agrees) return { outcome: 'deployed', message: achieved[mode] };
  }
  if (text('settled') === 'taken-back')
    return { outcome: 'rolled-back', message: `${lost} It was taken back. ${facts}` };
  return { outcome: 'failed', message: `${lost} ${facts}` };
}

const settledWords: Record<string, string> = {
  finished: 'It had been finished.',
  'taken-back': 'It was taken back first.',
  superseded: 'Another system was activated since, so it was left alone.',
  failed: 'It could not be taken back wholly.',
};

function settledSentence({ settled }: Status): string | null {
  if (settled === null) return null;
  if (settled.how === 'unreadable') {
    return 'The record of an earlier activation was damaged; it is kept as /var/lib/nix-ferry/damaged.json.';
  }
  return `An earlier activation, of ${settled.toplevel}, was cut in its phase \`${settled.phase}\`. ${settledWords[settled.how] ?? ''}`;
}
