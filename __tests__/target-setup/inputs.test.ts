import { describe, expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { UserError } from '../../src/errors.ts';
import { readInputs } from '../../src/inputs.ts';
import { setUpTarget } from '../../src/target-setup/index.ts';

const blob = (type: string, filling: number): string => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(32, filling)]).toString('base64');
};
const ssh = (filling: number, comment = 'me'): string => `ssh-ed25519 ${blob('ssh-ed25519', filling)} ${comment}`;
const nixKey = `fleet-1:${Buffer.alloc(32, 7).toString('base64')}`;
const secretNixKey = `fleet-1:${Buffer.alloc(64, 7).toString('base64')}`;
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n';

/** Wrong input must be refused before anything is run. */
const nothingRuns = {
  exec: () => Promise.reject(new Error('something was run')),
  query: () => Promise.reject(new Error('something was run')),
} as unknown as Context;

async function refused(host: string, flags: Record<string, string>): Promise<UserError> {
  try {
    const { targetSetup, plan } = readInputs(flags, name => `--${name}`);
    const access = { deployKey: null, knownHosts: null, ownSsh: true };
    await setUpTarget(host, { ...targetSetup, targets: plan.targets, access }, nothingRuns);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const good = { 'gate-deploy-keys': ssh(1), 'gate-signing-keys': nixKey };

describe('one clear error, before anything is run', () => {
  test.each<[string, string, Record<string, string>, string, string]>([
    ['no key', 'web', {}, 'There is no key for the gate.', '--gate-deploy-keys @deploy.pub'],
    [
      'a private key',
      'web',
      { 'gate-deploy-keys': privateKey },
      '--gate-deploy-keys: this is a private key.',
      'the file that ends in `.pub`',
    ],
    [
      'a name of a file',
      'web',
      { 'gate-preview-keys': 'preview.pub' },
      '--gate-preview-keys: "preview.pub" is not a public SSH key.',
      'as `@FILE`',
    ],
    [
      'a key with options',
      'web',
      { 'gate-preview-keys': `no-pty ${ssh(1)}` },
      'is not a public SSH key.',
      'Leave out the options',
    ],
    [
      'a quoted command in a key',
      'web',
      { 'gate-preview-keys': `command="sh" ${ssh(1)}` },
      'is not a public SSH key.',
      'Leave out the options',
    ],
    [
      'a damaged key',
      'web',
      { 'gate-preview-keys': `ssh-ed25519 ${blob('ssh-rsa', 1)}` },
      'is not a public SSH key.',
      'ssh-ed25519 AAAA',
    ],
    [
      'deploy keys without signing keys',
      'web',
      { 'gate-deploy-keys': ssh(1) },
      '--gate-deploy-keys needs --gate-signing-keys',
      'nix key generate-secret',
    ],
    [
      'a secret signing key',
      'web',
      { ...good, 'gate-signing-keys': secretNixKey },
      '--gate-signing-keys: fleet-1 is a secret key.',
      'nix key convert-secret-to-public',
    ],
    [
      'a signing key without a name',
      'web',
      { ...good, 'gate-signing-keys': nixKey.slice(8) },
      "is not a public key in Nix's form",
      'my-fleet-1:',
    ],
    [
      'the same key twice',
      'web',
      { ...good, 'gate-preview-keys': ssh(1, 'other') },
      'A key is in both --gate-deploy-keys and --gate-preview-keys: other.',
      'make a second key',
    ],
    ['a name with a newline', 'web', { ...good, 'gate-host': 'a\nb' }, 'a name has no control characters', ''],
    ['the user of the gate', 'nix-ferry@web', good, 'can only speak to the gate', 'root@web'],
    ['a host that is an option', '-oProxyCommand=x', good, 'HOST is "-oProxyCommand=x".', 'user@address:port'],
    [
      'a host without an address',
      'web',
      { ...good, targets: 'web: { buildOnly: true }' },
      'targets.web has no address.',
      '',
    ],
  ])('%s', async (_, host, flags, message, cure) => {
    const error = await refused(host, flags);
    expect(error.message).toContain(message);
    expect(error.cure ?? '').toContain(cure);
    for (const secret of ['c2VjcmV0', secretNixKey.slice(8, 60)]) {
      expect(`${error.message}${error.cure}`).not.toContain(secret);
    }
  });
});
