import { generateKeyPairSync } from 'node:crypto';

/** A key in Nix's form: its name, then the secret and the public half. */
export function signingKey(name: string): { secret: string; public: string } {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const half = Buffer.from(x, 'base64url');
  const whole = Buffer.concat([Buffer.from(d, 'base64url'), half]);
  return { secret: `${name}:${whole.toString('base64')}`, public: `${name}:${half.toString('base64')}` };
}
