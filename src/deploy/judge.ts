import type { Activation } from './activation.ts';
import type { Mode, Outcome } from './outcome.ts';

/** A kind of outcome and the sentence that explains it. */
export type Judgement = Pick<Outcome, 'outcome' | 'message'>;

/** What the result of an activation means (exit codes: switch-to-configuration in nixpkgs). */
export function judge(activation: Activation, toplevel: string, mode: Mode, log: readonly string[]): Judgement {
  if (activation.result !== 'activated') return unsuccessful(activation, log);
  if (mode === 'dry-activate')
    return { outcome: 'planned', message: 'This is what would change. Nothing was changed.' };
  if (activation.code === 100) return rebootNeeded(mode);
  const contradiction = contradictionOf(activation, toplevel, mode);
  if (contradiction !== null) return { outcome: 'failed', message: contradiction };
  if (activation.code === 4)
    return { outcome: 'degraded', message: `The system was switched, but ${failedUnits(log)}.` };
  return { outcome: 'deployed', message: achieved[mode] };
}

const achieved: Record<Mode, string> = {
  none: '',
  'dry-activate': '',
  test: 'Runs the new system until the next boot.',
  boot: 'The next boot starts the new system.',
  switch: 'Runs and boots the new system.',
};

function rebootNeeded(mode: Mode): Judgement {
  return mode === 'test'
    ? {
        outcome: 'refused',
        message:
          'Not activated: the new system changes the init interface and needs a reboot, which `test` cannot prepare.',
      }
    : {
        outcome: 'needs-reboot',
        message: 'The new system changes the init interface, so it is not running yet. The next boot starts it.',
      };
}

/** Exit code 0 is only believed if the target is where it should be. */
function contradictionOf({ current, profile }: Activation, toplevel: string, mode: Mode): string | null {
  if (mode !== 'boot' && current !== toplevel)
    return `The activation reported success, but the target runs ${current}.`;
  if (mode !== 'test' && profile !== toplevel) {
    return `The activation reported success, but the target's profile points to ${profile}.`;
  }
  return null;
}

function unsuccessful(activation: Activation, log: readonly string[]): Judgement {
  const { result, why, step, code, before } = activation;
  const details = why === '' ? lastWords(log) : why;
  const sentence = (text: string): string => `${text} ${details}`.trim();
  if (result === 'rolled-back') {
    return { outcome: 'rolled-back', message: sentence(`${failure(step, code)}; the target is back on ${before}.`) };
  }
  if (result === 'failed') return { outcome: 'failed', message: sentence(`${failure(step, code)}.`) };
  if (step === 'lock' && why !== '') {
    return {
      outcome: 'refused',
      message: `Another deployment has locked the target: ${why}. Run again when it has ended.`,
    };
  }
  if (code === 11) {
    const message = 'Another switch-to-configuration is running on the target. Run again when it has ended.';
    return { outcome: 'refused', message };
  }
  const refusal = step === 'check' ? 'The target refused the system' : failure(step, code);
  return { outcome: 'refused', message: sentence(`${refusal}; nothing was changed.`) };
}

function failure(step: string, code: number): string {
  if (step === 'profile') return `The profile could not be set (nix-env exited with ${code})`;
  if (step === 'root') return "The new system is no longer in the target's store";
  if (step === 'boot') return `The boot loader could not be installed (exit code ${code})`;
  if (code === 1) return 'The pre-switch check failed (exit code 1)';
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

/** The last lines of the step that failed. Lines after one of Nix Ferry's own belong to the rollback. */
function lastWords(log: readonly string[]): string {
  const rollback = log.findIndex(line => line.startsWith('nix-ferry: '));
  const lines = (rollback === -1 ? log : log.slice(0, rollback)).map(line => line.trim()).filter(line => line !== '');
  return lines.slice(-3).join(' ');
}
