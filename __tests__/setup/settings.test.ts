import { expect, test } from '@jest/globals';
import { parseNixConf } from '../../src/setup/settings.ts';

const known = ['cores', 'substituters', 'trusted-public-keys', 'extra-platforms', 'sandbox', 'access-tokens'];

test('settings are for the daemon, tokens only for commands, comments are dropped', () => {
  const conf = parseNixConf(
    'cores = 2 # two\n\n# nothing\nextra-trusted-public-keys = a:b c:d\naccess-tokens = gitlab.com=x\n!include /etc/more.conf',
    known,
  );
  expect(conf.daemon).toBe('cores = 2\nextra-trusted-public-keys = a:b c:d\n!include /etc/more.conf');
  expect(conf.client).toBe('access-tokens = gitlab.com=x');
  expect(conf.trustedPublicKeys).toEqual(['a:b', 'c:d']);
});

test.each<[string, RegExp, string]>([
  ['cores', /line 1, is not a setting/, 'Write it as name = value.'],
  ['cores = 1\nsandbox = false', /line 2, sets sandbox/, 'Remove the line.'],
  ['extra-sandbox = relaxed', /sets extra-sandbox/, 'Remove the line.'],
  ['sandbox-fallback = true', /sets sandbox-fallback/, 'Remove the line.'],
  ['accept-flake-config = true', /sets accept-flake-config/, 'Remove the line.'],
  ['builders = ssh://x', /sets builders/, 'Remove the line.'],
  ['substitutors = x', /does not know/, 'Did you mean substituters?'],
  ['extra-plattforms = x', /does not know/, 'Did you mean extra-platforms?'],
])('refused: %j', (text, message, cure) => {
  expect(() => parseNixConf(text, known)).toThrow(message);
  expect(() => parseNixConf(text, known)).toThrow(expect.objectContaining({ cure }));
});

test('a fixed setting may be set to its fixed value', () => {
  expect(parseNixConf('sandbox = true', known).daemon).toBe('sandbox = true');
});
