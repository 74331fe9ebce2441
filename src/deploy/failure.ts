import { size } from '../amounts.ts';
import type { CommandError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import { refusalIn, throughGate } from './gate.ts';
import type { Judgement } from './judge.ts';
import { type Phase, phases } from './phase.ts';

/** How a connection was to be made. */
export interface Access {
  /** The public half of the deploy key; null when the user's own keys are used. */
  publicKey: string | null;
  /** The name under which ssh looks for the target's host key; null when host keys are pinned. */
  keyName: string | null;
}

/** What a failed connection means, from what ssh printed. */
export function connectionFailure(
  { stderr }: CommandError,
  { address, port, user }: Target,
  phase: Phase,
  { publicKey, keyName }: Access,
): Judgement {
  const printed = stderr.trim().split('\n').at(-1) ?? '';
  const where = port === null ? address : `${address} port ${port}`;
  const { doing, continuesAlone } = phases[phase];
  // Whatever ssh says: something may have changed.
  if (continuesAlone) {
    const message = `The connection was lost while ${doing}, and ${where} could not be reached again; the target continues by itself. (${printed})`;
    return { outcome: 'failed', message };
  }
  const unpinned = /No \S+ host key is known for (\S+)/.exec(stderr)?.[1];
  // A target without a pinned key is refused before anything connects to it.
  if (unpinned !== undefined && unpinned === keyName?.toLowerCase()) {
    const resolved = unpinned === address ? '' : ` (${unpinned})`;
    const message = `No host key of ${where}${resolved} is known: connect to it once with \`ssh\`, or give \`known-hosts\`.`;
    return { outcome: 'refused', message };
  }
  if (unpinned !== undefined) {
    const message = `No host key is pinned for ${unpinned}, through which ${where} is reached: add its line to \`known-hosts\`.`;
    return { outcome: 'refused', message };
  }
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(stderr)) {
    const message =
      `${where} has a different host key than the pinned one; nothing was sent. If the machine was reinstalled, pin its ` +
      'new key in `known-hosts`. If not, someone may be intercepting the connection.';
    return { outcome: 'refused', message };
  }
  if (/Permission denied/.test(stderr)) {
    const message =
      publicKey === null
        ? `${where} accepts none of your keys for ${user}. (${printed})`
        : `${where} does not accept the deploy key for ${user}: add \`${publicKey}\` to the user's authorized keys. (${printed})`;
    return { outcome: 'refused', message };
  }
  const why = printed === '' ? 'the connection was closed' : printed;
  return { outcome: 'unreachable', message: `No connection to ${where} while ${doing}: ${why}` };
}

const connectionLost =
  /Broken pipe|unexpected end-of-file|[Cc]onnection (closed|reset|timed out|refused)|cannot (open )?connect|SSH connection/;

/**
 * What a failed copy means, from what Nix printed. The target still runs what it ran before.
 *
 * @param free bytes that were free in the target's store; null when unknown.
 */
export function copyFailure(error: CommandError, { address, user }: Target, free: number | null): Judgement {
  const printed = error.stderr
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('error') && !line.startsWith('error (ignored)'))
    .join(' ');
  const why = printed === '' ? error.message : printed;
  if (error.failure.kind === 'stalled') {
    const seconds = error.failure.milliseconds / 1000;
    const message = `Nothing was copied to ${address} for ${seconds} s, and the copy was ended. Run again to continue where it stopped; if the target is only slow, raise \`stall-timeout\`.`;
    return { outcome: 'unreachable', message };
  }
  const refused = refusalIn(error.stderr);
  if (refused !== null) return { outcome: 'refused', message: `The gate of ${address} refused: ${refused}.` };
  if (/No space left on device/.test(why)) {
    const left = free === null ? '' : ` (${size(free)} were free)`;
    const message = `The target's disk is full${left}: delete old generations there (\`nix-collect-garbage --delete-older-than 30d\`). ${why}`;
    return { outcome: 'failed', message };
  }
  if (/lacks a (valid )?signature|not trusted|you are not privileged|not allowed to/i.test(why)) {
    const message = throughGate({ user })
      ? `The target accepts only signed paths: the public half of \`signing-key\` belongs in \`services.nix-ferry.gate.signingKeys\` there. ${why}`
      : `Nix on the target does not accept unsigned paths from ${user}: add the user to \`nix.settings.trusted-users\` there, or ` +
        `sign with \`signing-key\` and add its public key to \`nix.settings.trusted-public-keys\` there. ${why}`;
    return { outcome: 'refused', message };
  }
  if (connectionLost.test(why)) {
    const message = `The connection to ${address} was lost while copying the closure. Run again to continue where it stopped. ${why}`;
    return { outcome: 'unreachable', message };
  }
  return { outcome: 'failed', message: `The closure could not be copied. ${why}` };
}
