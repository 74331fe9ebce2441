import { UserError } from '../errors.ts';
import {
  input,
  integer,
  list,
  oneOf,
  optional,
  seconds,
  secondsOrNone,
  secretText,
  type Values,
  yesOrNo,
} from '../input.ts';
import { signingKey } from '../shared-inputs.ts';
import { modes } from './outcome.ts';

export const deployInputs = {
  mode: input('none', 'What to do on the targets.', oneOf(...modes)),
  /** Null: the user's own agent and keys are used. */
  deployKey: input(
    '',
    'Private SSH key for the targets. Only an SSH agent of this run holds it.',
    secretText,
    'secret',
  ),
  /** Signs what is sent to gates. */
  signingKey,
  /** The only host keys that are accepted. */
  knownHosts: input('', "The targets' SSH host keys, as `ssh-keyscan` prints them.", optional, 'long'),
  parallel: input(
    '10',
    'How many targets are activated at once. As many of the next ones get their closures meanwhile.',
    integer(1, 1000),
  ),
  canary: input(
    '',
    'How many targets go first, as a number or a percentage. The others follow if all of these succeed.',
    share,
  ),
  waves: input(
    '',
    'Tags, in the order in which their hosts are deployed; `@rest` is all other hosts. If a host of a wave fails, later waves are not started.',
    list,
  ),
  maxFailures: input(
    '0',
    'Stop starting further targets after more than this many failures. Unreachable targets do not count.',
    integer(0, 100_000),
  ),
  confirmTimeout: input(
    '30',
    'Seconds to reach a target over a new connection after its activation; if that fails, it goes back. `0` turns this off.',
    secondsOrNone,
  ),
  /** For all health checks of a host together, and for all its pre-deploy checks together. */
  healthTimeout: input(
    '120',
    'Seconds for the checks of a target to succeed, before and after its activation each.',
    seconds,
  ),
  failedUnits: input(
    'degrade',
    'If units fail that did not fail before: report it (`degrade`), go back (`rollback`), or `ignore` it.',
    oneOf('degrade', 'rollback', 'ignore'),
  ),
  allowOlder: input('false', 'Deploy even if a target has a newer commit of the same repository and branch.', yesOrNo),
  /** Compared before the deployment begins; src/require-preview.ts. */
  requirePreview: input(
    'false',
    'Refuse to deploy a system that no preview has shown on its pull request. Needs `github-token`.',
    yesOrNo,
  ),
  offline: input(
    'fail',
    'A target that cannot be reached: it fails the run (`fail`), or is skipped with a warning (`skip`).',
    oneOf('fail', 'skip'),
  ),
  hostTimeout: input(
    '0',
    'Seconds for one target, until its activation begins; an activation is always completed. `0`: no limit.',
    secondsOrNone,
  ),
  lockTimeout: input('600', 'Seconds to wait for another deployment to the same target.', seconds),
  activationTimeout: input(
    '900',
    'Seconds for one call of `switch-to-configuration`. If it takes longer, it is ended and the target goes back.',
    seconds,
  ),
  reboot: input(
    'never',
    'Reboot a target into its new system, with modes `boot` and `switch`: `never`, `if-needed` (its kernel or the like changes) or `always`.',
    oneOf('never', 'if-needed', 'always'),
  ),
  rebootTimeout: input(
    '600',
    'Seconds for a target to shut down, for it to start, and for the runner to reach it then; if that fails, it goes back.',
    seconds,
  ),
};

export type DeployInputs = Values<typeof deployInputs>;

/** A number of hosts, or a part of them as a number from 0 to 1. */
function share(text: string): { hosts: number } | { part: number } | null {
  if (text.trim() === '') return null;
  const [, digits, percent] = /^(\d{1,5})(%)?$/.exec(text.trim()) ?? [];
  const value = Number(digits);
  if (percent === undefined && value >= 1) return { hosts: value };
  if (percent !== undefined && value >= 1 && value <= 100) return { part: value / 100 };
  throw new UserError(`'${text.trim()}' is not a number of targets, such as 1, or a percentage, such as 10%.`);
}
