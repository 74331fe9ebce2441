import { expect, test } from '@jest/globals';
import type { DeployConfig } from '../../src/deploy/deployment.ts';
import type { Outcome, OutcomeKind } from '../../src/deploy/outcome.ts';
import { checkWaves, type Order, type Rolled, rollOut, wavesOf } from '../../src/deploy/rollout.ts';
import { noUnits } from '../../src/deploy/units.ts';

function namesIn(hosts: readonly Rolled[], order: Order): string[] {
  return wavesOf(hosts, order).map(({ items }) => items.map(({ host }) => host).join(''));
}

test.each<[DeployConfig['canary'], string[]]>([
  [null, ['abcdef']],
  [{ hosts: 1 }, ['a', 'bcdef']],
  [{ hosts: 9 }, ['abcdef']],
  [{ part: 0.1 }, ['a', 'bcdef']],
  [{ part: 0.5 }, ['abc', 'def']],
  [{ part: 1 }, ['abcdef']],
])('canary %j', (canary, expected) => {
  const hosts = [...'abcdef'].map(host => ({ host, tags: [] }));
  expect(namesIn(hosts, { canary, waves: [] })).toEqual(expected);
});

const tagged: Rolled[] = [
  { host: 'a', tags: [] },
  { host: 'b', tags: ['web'] },
  { host: 'c', tags: ['web', 'first'] },
  { host: 'd', tags: ['db'] },
];
test.each<[string[], DeployConfig['canary'], string[]]>([
  [['first', 'web'], null, ['c', 'b', 'ad']],
  [['web', '@rest', 'db'], null, ['bc', 'a', 'd']],
  [['@rest', 'web'], null, ['ad', 'bc']],
  [['web'], { hosts: 1 }, ['b', 'c', 'ad']],
])('waves %j with canary %j', (waves, canary, expected) => {
  expect(namesIn(tagged, { canary, waves })).toEqual(expected);
});

test('a wave without a host is an error', () => {
  expect(() => checkWaves(tagged, ['web', 'wbe'])).toThrow("No host has the tag 'wbe'.");
  expect(() => checkWaves(tagged, ['web', '@rest'])).not.toThrow();
});

const free = { parallel: 2, canary: null, maxFailures: 100, waves: [] as string[] };

/** Rolls out to hosts a, b, …; those in `bad` end with the given kind. Returns the outcomes, and how many ran at the same time. */
async function run(
  hosts: string,
  config: Pick<DeployConfig, 'parallel' | 'canary' | 'maxFailures' | 'waves'>,
  bad: Record<string, OutcomeKind> = {},
  signal = new AbortController().signal,
  onWork: (host: string) => void = () => undefined,
): Promise<{ kinds: string; outcomes: Outcome[]; most: number }> {
  let going = 0;
  let most = 0;
  const end = (host: string, outcome: OutcomeKind, message = ''): Outcome => {
    return {
      host,
      outcome,
      mode: 'switch',
      before: null,
      after: null,
      message,
      units: noUnits(),
      others: [],
      seconds: 0,
    };
  };
  const outcomes = await rollOut(
    // Each of its tags is its own name.
    [...hosts].map(host => ({ host, tags: [host] })),
    config,
    {
      async deploy({ host }) {
        onWork(host);
        going++;
        most = Math.max(most, going);
        await new Promise(resolve => setTimeout(resolve, 5));
        going--;
        return end(host, bad[host] ?? 'deployed');
      },
      skip: ({ host }, why) => end(host, 'skipped', why),
    },
    signal,
  );
  return { kinds: outcomes.map(({ host, outcome }) => `${host}:${outcome}`).join(' '), outcomes, most };
}

test('a failed host does not stop the others', async () => {
  const { kinds } = await run('abcd', free, { a: 'unreachable', c: 'failed' });
  expect(kinds).toBe('a:unreachable b:deployed c:failed d:deployed');
});

test('at most `parallel` at once, and not fewer', async () => {
  expect((await run('abcdefgh', { ...free, parallel: 3 })).most).toBe(3);
});

test('if the canary fails, the others are not started and say why', async () => {
  const { kinds, outcomes } = await run('abc', { ...free, canary: { hosts: 1 } }, { a: 'degraded' });
  expect(kinds).toBe('a:degraded b:skipped c:skipped');
  expect(outcomes[2]?.message).toBe('Not started: a of the canary failed.');
});

test('if the canary succeeds, the others are started, and each fails alone', async () => {
  const { kinds } = await run('abc', { ...free, canary: { hosts: 1 } }, { b: 'failed' });
  expect(kinds).toBe('a:deployed b:failed c:deployed');
});

test('if a host of a wave fails, later waves are not started; one that is off does not count', async () => {
  const { kinds, outcomes } = await run(
    'abcde',
    { ...free, waves: ['a', 'b'] },
    { a: 'unreachable', b: 'rolled-back' },
  );
  expect(kinds).toBe('a:unreachable b:rolled-back c:skipped d:skipped e:skipped');
  expect(outcomes[2]?.message).toBe('Not started: b of the wave `b` failed.');
});

test('after more failures than allowed, no further host is started', async () => {
  const { kinds, outcomes } = await run(
    'abcde',
    { ...free, parallel: 1, maxFailures: 1 },
    { a: 'failed', c: 'refused' },
  );
  expect(kinds).toBe('a:failed b:deployed c:refused d:skipped e:skipped');
  expect(outcomes[4]?.message).toBe('Not started: a, c failed, and max-failures is 1.');
});

test('an unreachable host is not counted, unless it is the canary', async () => {
  const one = { ...free, parallel: 1, maxFailures: 0 };
  expect((await run('abc', one, { a: 'unreachable' })).kinds).toBe('a:unreachable b:deployed c:deployed');
  expect((await run('abc', { ...one, canary: { hosts: 1 } }, { a: 'unreachable' })).kinds).toBe(
    'a:unreachable b:skipped c:skipped',
  );
});

test('a reboot that is needed is not a failure', async () => {
  const { kinds } = await run('ab', { ...free, parallel: 1, maxFailures: 0 }, { a: 'needs-reboot' });
  expect(kinds).toBe('a:needs-reboot b:deployed');
});

test('a cancelled run starts no further host', async () => {
  const cancelled = new AbortController();
  const { kinds } = await run(
    'abc',
    { ...free, parallel: 1 },
    {},
    cancelled.signal,
    host => host === 'b' && cancelled.abort(),
  );
  expect(kinds).toBe('a:deployed b:deployed c:skipped');
});
