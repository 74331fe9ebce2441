import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { inParts } from './arguments.ts';
import type { Nix } from './index.ts';

/**
 * The public key for a secret key, both in Nix's form `name:base64`.
 *
 * @throws UserError if it is not a secret key; the error does not contain it.
 */
export async function publicKeyOf(secretKey: string, nix: Nix): Promise<string> {
  const wrong = (why: string): UserError =>
    new UserError(`The signing key ${why}.`, {
      where: { input: 'signing-key' },
      cure: 'Create one with `nix key generate-secret --key-name my-fleet-1` and copy all of it: a name, a colon and 88 characters.',
    });
  const [name, base64, ...rest] = secretKey.trim().split(':');
  if (name === undefined || name === '' || base64 === undefined || rest.length > 0) {
    throw wrong("is not in Nix's form `name:base64`");
  }
  // The secret and the public half of an Ed25519 key, as libsodium stores them.
  if (!/^[A-Za-z0-9+/]{86}==$/.test(base64)) throw wrong('is not 64 bytes in base64 after the colon');
  const { stdout } = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secretKey.trim() });
  return stdout.trim();
}

/**
 * Signs the entries of `paths` in the binary cache `directory`.
 */
export async function signPaths(
  directory: string,
  paths: readonly string[],
  secretKey: string,
  nix: Nix,
  context: Context,
): Promise<void> {
  for (const some of inParts(paths)) {
    await sign(['--store', `file://${directory}`, ...some], secretKey, nix, context);
  }
}

/**
 * Signs whole closures in the local store.
 *
 * @throws CommandError if Nix does not let this user add signatures, for example.
 */
export async function signClosures(
  toplevels: readonly string[],
  secretKey: string,
  nix: Nix,
  context: Context,
): Promise<void> {
  await sign(['--recursive', ...toplevels], secretKey, nix, context);
}

/**
 * Nix reads keys from files, but the key must not be written to a disk, so it is passed through a pipe. Node gives a child
 * a socket as standard input, which cannot be opened by name; `cat` makes it a pipe.
 */
async function sign(args: readonly string[], secretKey: string, nix: Nix, context: Context): Promise<void> {
  const { bin } = nix.installation;
  const command = [bin === null ? 'nix' : join(bin, 'nix'), '--extra-experimental-features', 'nix-command'];
  const words = [...command, 'store', 'sign', '--key-file', '/dev/stdin', ...args];
  await context.exec('sh', ['-c', 'cat | "$@"', 'sh', ...words], {
    input: secretKey.trim(),
    env: nix.environment(),
    signal: context.signal,
  });
}
