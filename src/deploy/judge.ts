import { size } from '../amounts.ts';
import type { CommandError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import type { Activation } from './answers.ts';
import type { Mode, OutcomeKind } from './outcome.ts';

interface Judgement {
  outcome: OutcomeKind;
  message: string;
}

/** What the end of an activation means (exit codes: switch-to-configuration in nixpkgs). */
export function judge(activation: Activation, toplevel: string, mode: Mode, log: readonly string[]): Judgement {
  const { result, code, current, profile } = activation;
  if (result !== 'activated') return unsuccessful(activation, log);
  if (mode === 'dry-activate') return { outcome: 'planned', message: 'Asked what would change; nothing was changed.' };
  if (code === 100) {
    const message =
      mode === 'test'
        ? 'Not activated: the new system changes the init interface and wants a reboot, which `test` does not lead to.'
        : 'The new system changes the init interface: it is what the next boot starts; reboot the target.';
    return { outcome: mode === 'test' ? 'refused' : 'needs-reboot', message };
  }
  const wrong = truth(toplevel, mode, current, profile);
  if (wrong !== null) return { outcome: 'failed', message: wrong };
  if (code === 4) return { outcome: 'degraded', message: `The switch happened, but ${failedUnits(log)}.` };
  return { outcome: 'deployed', message: achieved[mode] };
}

const achieved: Record<Mode, string> = {
  none: '',
  'dry-activate': '',
  test: 'Runs the new system until the next boot.',
  boot: 'The next boot starts the new system.',
  switch: 'Runs the new system, and boots it.',
};

/** An exit code of 0 is believed only when the target is where it should be. */
function truth(toplevel: string, mode: Mode, current: string | null, profile: string | null): string | null {
  if (mode !== 'boot' && current !== toplevel) return `The activation ended well, but the target runs ${current}.`;
  if (mode !== 'test' && profile !== toplevel)
    return `The activation ended well, but the target's profile is at ${profile}.`;
  return null;
}

function unsuccessful({ result, why, step, code, before }: Activation, log: readonly string[]): Judgement {
  const said = why !== '' ? why : lastWords(log);
  if (result === 'rolled-back') {
    return {
      outcome: 'rolled-back',
      message: `${failure(step, code)}; the target is back on ${before}. ${said}`.trim(),
    };
  }
  if (result === 'failed') return { outcome: 'failed', message: `${failure(step, code)}. ${said}`.trim() };
  const message =
    step === 'lock' && why !== ''
      ? `Another deployment holds the target: ${why}. Run again when it has ended.`
      : code === 11
        ? 'Another switch-to-configuration runs on the target and holds its lock. Run again when it has ended.'
        : `${step === 'check' ? 'The target refused' : failure(step, code)}; nothing was changed. ${said}`.trim();
  return { outcome: 'refused', message };
}

function failure(step: string, code: number): string {
  if (step === 'profile') return `The profile could not be set (nix-env exited with ${code})`;
  if (step === 'root') return "The new system is no longer in the target's store";
  if (step === 'boot') return `The boot loader could not be installed (exit code ${code})`;
  if (code === 1) return 'The pre-switch check said no (exit code 1)';
  if (code === 2) return 'The activation script failed (exit code 2)';
  if (code === 3) return 'systemd could not reload its configuration (exit code 3)';
  return `switch-to-configuration ${step} exited with ${code}`;
}

function failedUnits(log: readonly string[]): string {
  const line = log.findLast(text => text.includes('units failed: '));
  return line === undefined
    ? 'some units failed (exit code 4)'
    : `these units failed: ${line.split('units failed: ')[1]}`;
}

/** The last lines of the step that failed: what comes after a line of our own tells of the way back. */
function lastWords(log: readonly string[]): string {
  const back = log.findIndex(line => line.startsWith('nix-ferry: '));
  const lines = (back === -1 ? log : log.slice(0, back)).map(line => line.trim()).filter(line => line !== '');
  return lines.slice(-3).join(' ');
}

/** What a connection that failed means, from what ssh said. */
export function unreached(error: CommandError, target: Target, step: string, publicKey: string | null): Judgement {
  const said = error.stderr.trim().split('\n').at(-1) ?? '';
  const { address, port, user } = target;
  const where = port === null ? address : `${address} port ${port}`;
  const unpinned = /No \S+ host key is known for (\S+)/.exec(error.stderr)?.[1];
  if (unpinned !== undefined) {
    return {
      outcome: 'refused',
      message: `No host key is pinned for ${unpinned}, which the way to ${where} leads over: add its line to \`known-hosts\`.`,
    };
  }
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(error.stderr)) {
    return {
      outcome: 'refused',
      message:
        `${where} showed another host key than the pinned one; nothing was sent. If the machine was installed anew, ` +
        'pin its new key in `known-hosts`; if not, somebody stands between.',
    };
  }
  if (/Permission denied/.test(error.stderr)) {
    return {
      outcome: 'refused',
      message:
        publicKey === null
          ? `${where} takes none of your keys for ${user}. (${said})`
          : `${where} does not take the deploy key for ${user}: add \`${publicKey}\` to that user's authorized keys. (${said})`,
    };
  }
  if (step === 'activating') {
    return {
      outcome: 'failed',
      message: `The connection was cut while activating and ${where} could not be reached again; the target goes on by itself. (${said})`,
    };
  }
  return {
    outcome: 'unreachable',
    message: `No connection to ${where} while ${step}: ${said === '' ? 'it was cut' : said}`,
  };
}

/** What a copy that failed means, from what Nix said; the target runs what it ran before. */
export function notCopied(error: CommandError, target: Target, free: number | null): Judgement {
  const said = error.stderr
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('error') && !line.startsWith('error (ignored)'))
    .join(' ');
  const why = said === '' ? error.message : said;
  if (/No space left on device/.test(why)) {
    const left = free === null ? '' : ` (${size(free)} were free)`;
    return {
      outcome: 'failed',
      message: `The target's disk is full${left}: collect its garbage (\`nix-collect-garbage --delete-older-than 30d\`). ${why}`,
    };
  }
  if (/lacks a (valid )?signature|not trusted|you are not privileged|not allowed to/i.test(why)) {
    return {
      outcome: 'refused',
      message:
        `Nix on the target takes no unsigned paths from ${target.user}: add it to \`nix.settings.trusted-users\` there, or sign ` +
        `with \`signing-key\` and trust its public half there. ${why}`,
    };
  }
  if (
    /Broken pipe|unexpected end-of-file|[Cc]onnection (closed|reset|timed out|refused)|cannot (open )?connect|SSH connection/.test(
      why,
    )
  ) {
    const message = `The connection to ${target.address} was lost while copying the closure; run again to go on where it ended. ${why}`;
    return { outcome: 'unreachable', message };
  }
  return { outcome: 'failed', message: `The closure could not be copied. ${why}` };
}
