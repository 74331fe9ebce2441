import { expect, test } from '@jest/globals';
import { withoutSecretTexts } from '../../src/plan/inline-secrets.ts';

const key = { text: 'planted', user: 'root' };
const hidden = { text: '***', user: 'root' };

test.each([
  [['deployment'], { keys: { a: key }, tags: ['x'] }, { keys: { a: hidden }, tags: ['x'] }],
  [['deployment', 'keys'], { a: key, b: { text: null } }, { a: hidden, b: { text: null } }],
  [['deployment', 'keys', 'a'], key, hidden],
  [['deployment', 'keys', 'a', 'user'], 'root', 'root'],
  [['deployment', 'keys', 'b', 'text'], null, null],
  [['deployment', 'tags'], ['text'], ['text']],
  [['environment', 'etc'], { a: { text: 'public' } }, { a: { text: 'public' } }],
])('of %j, the texts of secrets are hidden', (names, value, shown) => {
  expect(withoutSecretTexts(value, names, 'web')).toEqual(shown);
});

test('the text of a secret is refused', () => {
  const ask = () => withoutSecretTexts('planted', ['deployment', 'keys', 'a', 'text'], 'web');
  expect(ask).toThrow('deployment.keys.a.text is the text of a secret, which is not printed.');
});
