/** What a phase of a host's deployment means for messages and for what a failure in it may have changed. */
interface PhaseMeaning {
  /** Completes "while …". */
  doing: string;
  /** Whether the target continues by itself when the connection is lost, so that its state is unknown afterwards. */
  continuesAlone: boolean;
}

/** The phases of a host's deployment on the runner's side, in order; a dry run has `predict` in place of `activate`,
 * and a run that takes a reboot has `reboot`. */
export const phases = {
  probe: { doing: 'connecting to the target', continuesAlone: false },
  copy: { doing: 'copying the closure', continuesAlone: false },
  check: { doing: 'running the pre-deploy checks', continuesAlone: false },
  stage: { doing: 'bringing the secrets to the target', continuesAlone: false },
  replace: { doing: 'replacing the secrets', continuesAlone: true },
  predict: { doing: 'checking what would change', continuesAlone: false },
  activate: { doing: 'activating', continuesAlone: true },
  reboot: { doing: 'rebooting', continuesAlone: true },
} as const satisfies Record<string, PhaseMeaning>;

export type Phase = keyof typeof phases;
