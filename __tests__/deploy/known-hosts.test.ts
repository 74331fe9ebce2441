import { expect, test } from '@jest/globals';
import { howToPin, readKnownHosts } from '../../src/deploy/known-hosts.ts';
import type { Target } from '../../src/plan/fleet.ts';

/** A public key's blob: its type, then 32 bytes. */
function blob(type: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, 3)]).toString('base64');
}

const ed25519 = `ssh-ed25519 ${blob('ssh-ed25519')}`;

test.each([
  `web.example.com ${ed25519}`,
  `# web.example.com:22 SSH-2.0-OpenSSH_9.2\nweb.example.com ${ed25519}\n\n`,
  `[127.0.0.1]:2222,[::1]:2222 ${ed25519} a comment`,
  `|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ${ed25519}`,
  `@cert-authority *.example.com ${ed25519}`,
  `@revoked * ${ed25519}\r\nweb ecdsa-sha2-nistp256 ${blob('ecdsa-sha2-nistp256')}\r\n`,
])('accepted: %j', text => {
  expect(readKnownHosts(text)).toBe(`${text.replaceAll('\r', '').trim()}\n`);
});

test.each([
  ['', 'contains no host key'],
  ['# only a comment', 'contains no host key'],
  [`web ${ed25519}\n${ed25519}`, 'a key without its host in line 2'],
  ['web.example.com', 'no host key in line 1'],
  [`web ssh-ed25519 ${blob('ssh-rsa')}`, 'no host key in line 1'],
  ['web ssh-ed25519 AAAA', 'no host key in line 1'],
  ['SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU web (ED25519)', 'no host key in line 1'],
])('refused: %j', (text, why) => {
  expect(() => readKnownHosts(text)).toThrow(why);
});

test('the advice names each target as ssh-keyscan accepts it', () => {
  const target: Target = {
    address: '192.0.2.7',
    port: 2222,
    user: 'root',
    privilegeEscalation: [],
    sshOptions: [],
    sshOptionsFrom: 'targets',
    substituteOnDestination: false,
  };
  const text = howToPin([target, { ...target, address: 'web.example.com', port: null }]);
  expect(text).toContain('`ssh-keyscan -t ed25519 -p 2222 192.0.2.7`, `ssh-keyscan -t ed25519 web.example.com`');
});
