import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { CommandError, explain, stderrLimit } from '../../src/errors.ts';
import { deserialize, serialize } from '../../src/plan/cache/serialize.ts';
import { withoutEvents } from '../../src/plan/evaluation/adapter.ts';
import { emptyRecords, extended } from '../../src/plan/evaluation/source-evaluation.ts';
import { portable } from '../../src/plan/host.ts';
import { SecretText } from '../../src/plan/secret-text.ts';

const deployment = () =>
  portable({ address: 'web', secrets: [{ name: 'k', source: { text: 'hush hush' } }] }, '/fleet', ['/fleet']);

test('the text of a secret is not part of JSON, of a message or of what is printed', () => {
  const { secrets } = deployment() as { secrets: { source: { text: SecretText } }[] };
  const text = secrets[0]?.source.text;
  expect(text?.reveal()).toBe('hush hush');
  for (const shown of [JSON.stringify(secrets), `${text}`, inspect(secrets, { depth: 9 }), String(text)]) {
    expect(shown).not.toContain('hush');
  }
});

test('an evaluation with the text of a secret is not kept, wherever the text is', () => {
  const evaluated = { name: 'web', system: 'x', drvPath: '', output: '', nixpkgs: null, nix: null, wrapper: null };
  const empty = { format: 'morph' as const, detected: null, main: 'network.nix', names: ['web', 'db'], notes: {} };
  const secret = { ...evaluated, deployment: { deep: [{ other: new SecretText('hush hush') }] } };
  const looksLikeOne = { ...evaluated, deployment: { tags: ['"source":{"text":'] } };
  const text = serialize(
    extended(
      { ...empty, ...emptyRecords() },
      { answers: { web: secret, db: looksLikeOne }, deployments: { web: deployment(), db: null } },
    ),
  );
  expect(text).not.toContain('hush');
  const kept = JSON.parse(text) as { answers: object; deployments: object };
  expect([Object.keys(kept.answers), Object.keys(kept.deployments)]).toEqual([['db'], ['db']]);
  expect(deserialize('{}')).toBeNull();
});

const event = `@nix {"action":"msg","level":1,"msg":"trace: ferry-1 {\\"answer\\":{\\"text\\":\\"hush hush\\"}}"}`;

test.each([
  ['the last line', `warning: odd\n${event}`],
  ['a line that a signal cut', `warning: odd\n${event.slice(0, -4)}`],
  [
    'a line of which only the end is left',
    `${event.padStart(stderrLimit * 2, 'hush hush ').slice(-stderrLimit)}\nwarning: odd`,
  ],
])('what an evaluation returned is not in the error of an evaluator that a signal ended: %s', (_, stderr) => {
  const error = withoutEvents(new CommandError(['nix', 'eval'], { kind: 'signal', signal: 'SIGSEGV' }, stderr));
  expect(error.stderr.trim()).toBe('warning: odd');
  expect(explain(error)).not.toContain('hush');
});
