import type { InputName } from './inputs.ts';

/** The parts of the job that can be had alone, as a step of a workflow or a command; `run` is all of them. */
export const steps = ['setup', 'plan', 'build', 'archive', 'deploy', 'run'] as const;
export type Step = (typeof steps)[number];

const setup = [
  'nix-version',
  'nix-source',
  'nix-conf',
  'emulate',
  'qemu',
  'builders',
  'cache',
  'github-token',
] as const;
const plan = [
  'source',
  'format',
  'attribute',
  'arguments',
  'hosts',
  'system',
  'nixpkgs',
  'nixpkgs-pin',
  'targets',
] as const;
const archive = ['archive', 'include-source', 'signing-key'] as const;
const deploy = [
  'mode',
  'deploy-key',
  'known-hosts',
  'parallel',
  'canary',
  'max-failures',
  'confirm-timeout',
  'health-timeout',
] as const;

/** Which inputs each step takes. */
export const inputsOfStep: Record<Step, readonly InputName[]> = {
  setup,
  plan: [...plan, ...setup, 'signing-key', 'comment'],
  build: [...plan, ...setup, 'signing-key'],
  archive: [...plan, ...archive, ...setup],
  deploy: [...plan, 'from', 'trusted-public-keys', ...deploy, ...setup, 'signing-key', 'comment'],
  run: [...plan, ...deploy, ...archive, ...setup, 'comment'],
};
