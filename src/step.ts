import type { Mode } from './deploy/outcome.ts';
import { namesOf } from './inputs.ts';

/** The parts of the job that can run alone, as a step of a workflow or as a command; `run` is all of them. */
export const steps = ['setup', 'plan', 'build', 'archive', 'deploy', 'run'] as const;
export type Step = (typeof steps)[number];

/** Which inputs each step accepts, by the names that users write. */
export const inputsOfStep: Record<Step, readonly string[]> = {
  // As a separate step, the set-up saves nothing that needs a signature.
  setup: namesOf('setup').filter(name => name !== 'signing-key'),
  plan: namesOf('plan', 'setup', 'report'),
  build: namesOf('plan', 'build', 'setup'),
  archive: namesOf('plan', 'build', 'archive', 'setup'),
  deploy: namesOf('plan', 'build', 'fetch', 'deploy', 'preview', 'setup', 'report'),
  run: namesOf('plan', 'build', 'deploy', 'preview', 'archive', 'setup', 'report'),
};

/** Which inputs the step accepts that only writes the comment of a fork's run. */
export const inputsOfComment: readonly string[] = ['github-token'];

/** Which inputs `ferry target-setup` accepts. */
export const inputsOfTargetSetup: readonly string[] = [
  ...namesOf('targetSetup'),
  ...['targets', 'deploy-key', 'known-hosts'],
];

/** Which inputs the commands accept that always have one mode: those that the mode uses, without `mode` itself. */
export const inputsOfMode = {
  preview: [...namesOf('plan', 'build', 'preview', 'setup', 'report'), 'deploy-key', 'known-hosts', 'parallel'],
  secrets: [
    ...namesOf('plan', 'setup', 'report'),
    ...['deploy-key', 'known-hosts', 'parallel', 'canary', 'waves', 'max-failures'],
    ...['offline', 'host-timeout', 'lock-timeout'],
  ],
} as const satisfies Partial<Record<Mode, readonly string[]>>;
