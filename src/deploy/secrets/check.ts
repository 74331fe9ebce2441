import { UserError } from '../../errors.ts';
import type { Secret } from '../../plan/fleet.ts';
import type { Deployer, Deployment } from '../deployment.ts';
import type { Mode } from '../outcome.ts';

/** The hosts of a run and their secrets, as the source says. */
export type Declared = Pick<Deployment, 'target' | 'buildOnly' | 'secrets'> & { host: string };

/** What decides which sources a run may read. */
export interface Reading extends Pick<Deployer, 'ownCode' | 'secretVariables'> {
  mode: Mode;
  /** The key of digests is derived from it. */
  signingKey: string | null;
}

/** The variable of the environment that holds the secret which a source calls `name`. */
export function variableOf(name: string): string {
  return `FERRY_SECRET_${name}`;
}

/** Whether a mode has to do with secrets of targets. A preview compares those that it can read. */
function sends(mode: Mode): boolean {
  return mode !== 'none' && mode !== 'preview';
}

/**
 * Whether this run reads this source. A run for a pull request, or any other event that may run a stranger's code, reads none.
 * Commands are only run for what is then deployed.
 */
export function reads({ mode, ownCode }: Pick<Reading, 'mode' | 'ownCode'>, source: Secret['source']): boolean {
  if (mode === 'none' || !ownCode) return false;
  return (mode !== 'dry-activate' && mode !== 'preview') || !('command' in source);
}

/**
 * Checks, before anything is built, all secrets that are to be sent.
 *
 * @throws UserError that names everything that is wrong.
 */
export function checkSecrets(hosts: readonly Declared[], reading: Reading): void {
  const sent = hosts.filter(({ target, buildOnly, secrets }) => target !== null && !buildOnly && secrets.length > 0);
  if (!sends(reading.mode) || sent.length === 0) return;
  if (!reading.ownCode && reading.mode !== 'dry-activate') {
    throw new UserError(
      `These hosts have secrets, which a run for this event does not read: ${sent.map(({ host }) => host).join(', ')}.`,
      { cure: 'Deploy them for a push to a branch, or leave them out with `hosts`.' },
    );
  }
  const problems = sent.flatMap(each => problemsOf(each, reading));
  if (problems.length > 0) throw wrongSecrets(problems);
}

/** The one error for all that is wrong with secrets. */
export function wrongSecrets(problems: readonly string[]): UserError {
  const text = problems.map(problem => `\n  ${problem}`).join('');
  return new UserError(`Secrets cannot be sent, and nothing was changed:${text}.`, {
    where: { input: 'source' },
    cure: 'The section "Secrets" of the README says what a secret needs.',
  });
}

function problemsOf({ host, secrets }: Declared, reading: Reading): string[] {
  const destinations = secrets.map(({ destination }) => destination);
  return secrets.flatMap((secret, index) => {
    const twice = destinations.indexOf(secret.destination) < index ? ['another secret has the same destination'] : [];
    return [...wrongIn(secret), ...missingVariable(secret, reading), ...twice].map(
      problem => `${host}: ${JSON.stringify(secret.name)}: ${problem}`,
    );
  });
}

function wrongIn({ source, destination, user, group, permissions, action, uploadAt }: Secret): string[] {
  const wrong: string[] = [];
  const kinds = Object.keys(source).filter(kind => kind !== 'folder');
  if (kinds.length !== 1) wrong.push(`its source has ${kinds.join(' and ') || 'nothing'}, not exactly one of them`);
  if (!isDestination(destination)) {
    wrong.push(
      `its destination ${JSON.stringify(destination)} is not an absolute path of a file without \`.\` and \`..\``,
    );
  }
  if (destination.startsWith('/nix/store/')) wrong.push('its destination is in the store, which everybody can read');
  for (const [what, name] of Object.entries({ user, group })) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/.test(name))
      wrong.push(`${JSON.stringify(name)} is not the name of a ${what}`);
  }
  if (!/^[0-7]{3,4}$/.test(permissions))
    wrong.push(`its permissions ${JSON.stringify(permissions)} are not octal, as 0400`);
  if ('command' in source && (source.command[0] ?? '') === '') wrong.push('its command is empty');
  if (action.some(hasControl)) wrong.push('its action contains a control character');
  if (uploadAt !== 'pre-activation' && uploadAt !== 'post-activation') {
    wrong.push(`uploadAt is ${JSON.stringify(uploadAt)}, not pre-activation or post-activation`);
  }
  return wrong;
}

function isDestination(path: string): boolean {
  const [first, ...parts] = path.split('/');
  return first === '' && !hasControl(path) && parts.every(part => part !== '' && part !== '.' && part !== '..');
}

function hasControl(text: string): boolean {
  return /[\p{Cc}]/u.test(text);
}

function missingVariable({ source }: Secret, reading: Reading): string[] {
  if (!('env' in source) || !reads(reading, source) || source.env in reading.secretVariables) return [];
  return [`the variable ${variableOf(source.env)} is not set: set it in the \`env\` of the step`];
}
