import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from './index.ts';

/** Store paths in one call of Nix: keeps its arguments far below Linux' limit of 2 MiB. */
const pathsPerCall = 2_000;

/**
 * The public key of a secret one, both in Nix's form `name:base64`.
 *
 * @throws UserError that does not contain the key.
 */
export async function publicKeyOf(secretKey: string, nix: Nix): Promise<string> {
  const wrong = (why: string): UserError =>
    new UserError(`The signing key ${why}.`, {
      where: { input: 'signing-key' },
      cure: 'Make one with `nix key generate-secret --key-name my-fleet-1` and give it whole: a name, a colon, 88 characters.',
    });
  const [name, base64, ...rest] = secretKey.trim().split(':');
  if (name === undefined || name === '' || base64 === undefined || rest.length > 0) {
    throw wrong("is not in Nix's form, a name and a colon before base64");
  }
  // Ed25519's secret and public half, as libsodium keeps them.
  if (!/^[A-Za-z0-9+/]{86}==$/.test(base64)) throw wrong('does not hold 64 bytes in base64');
  const { stdout } = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secretKey.trim() });
  return stdout.trim();
}

/**
 * Signs the entries of `paths` in the binary cache `directory`.
 *
 * Nix wants a key file, and the key must not lie on a disk: it goes through a pipe. Node gives a child a socket as its
 * standard input, which cannot be opened by name, hence the `cat` in between.
 */
export async function signPaths(
  directory: string,
  paths: readonly string[],
  secretKey: string,
  nix: Nix,
  context: Context,
): Promise<void> {
  const { bin } = nix.installation;
  const command = [bin === null ? 'nix' : join(bin, 'nix'), '--extra-experimental-features', 'nix-command'];
  for (let first = 0; first < paths.length; first += pathsPerCall) {
    const some = paths.slice(first, first + pathsPerCall);
    const sign = ['store', 'sign', '--key-file', '/dev/stdin', '--store', `file://${directory}`, ...some];
    await context.exec('sh', ['-c', 'cat | "$@"', 'sh', ...command, ...sign], {
      input: secretKey.trim(),
      env: nix.environment(),
      signal: context.signal,
    });
  }
}
