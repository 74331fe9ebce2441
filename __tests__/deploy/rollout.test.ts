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

/** What a test does to the hosts of a roll-out. */
interface Course {
  /** Hosts that do not end as `deployed`. */
  bad?: Record<string, OutcomeKind>;
  /** Hosts that never answer. */
  off?: string;
  signal?: AbortSignal;
  /** Called in each activation, with what has happened until then. */
  onActivate?: (host: string, events: readonly string[]) => void | Promise<void>;
}

/** What a roll-out did. */
interface CourseResult {
  kinds: string;
  outcomes: Outcome[];
  /** How many activations ran at the same time. */
  most: number;
  /** What began and ended, in order: `prepare a`, `activate a`, `end a`. */
  events: string[];
}

/** Rolls out to hosts a, b, …, each of whose tags is its own name. */
async function run(
  hosts: string,
  config: Pick<DeployConfig, 'parallel' | 'canary' | 'maxFailures' | 'waves'>,
  { bad = {}, off = '', signal = new AbortController().signal, onActivate }: Course = {},
): Promise<CourseResult> {
  let going = 0;
  let most = 0;
  const events: string[] = [];
  const end = (host: string, outcome: OutcomeKind, message = ''): Outcome => {
    const none = { before: null, after: null, units: noUnits(), others: [], seconds: 0 };
    return { host, outcome, mode: 'switch', message, ...none };
  };
  const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));
  const outcomes = await rollOut(
    [...hosts].map(host => ({ host, tags: [host] })),
    config,
    {
      async prepare({ host }, heldBack, onConnected) {
        events.push(`prepare ${host}`);
        if (off.includes(host)) {
          await new Promise(resolve => AbortSignal.any([heldBack, signal]).addEventListener('abort', resolve));
          return end(host, 'unreachable');
        }
        onConnected();
        await pause();
        return bad[host] === 'unreachable' ? end(host, 'unreachable') : null;
      },
      async activate({ host }) {
        events.push(`activate ${host}`);
        most = Math.max(most, ++going);
        await onActivate?.(host, events);
        await pause();
        going--;
        return end(host, bad[host] ?? 'deployed');
      },
      skip: ({ host }, why) => end(host, 'skipped', why),
      ended: ({ host }) => events.push(`end ${host}`),
    },
    signal,
  );
  return { kinds: outcomes.map(({ host, outcome }) => `${host}:${outcome}`).join(' '), outcomes, most, events };
}

test('a failed host does not stop the others', async () => {
  const { kinds } = await run('abcd', free, { bad: { a: 'unreachable', c: 'failed' } });
  expect(kinds).toBe('a:unreachable b:deployed c:failed d:deployed');
});

test('at most `parallel` at once, and not fewer', async () => {
  expect((await run('abcdefgh', { ...free, parallel: 3 })).most).toBe(3);
});

test('if the canary fails, the others are not started and say why', async () => {
  const { kinds, outcomes } = await run('abc', { ...free, canary: { hosts: 1 } }, { bad: { a: 'degraded' } });
  expect(kinds).toBe('a:degraded b:skipped c:skipped');
  expect(outcomes[2]?.message).toBe('Not started: a of the canary failed.');
});

test('if the canary succeeds, the others are started, and each fails alone', async () => {
  const { kinds } = await run('abc', { ...free, canary: { hosts: 1 } }, { bad: { b: 'failed' } });
  expect(kinds).toBe('a:deployed b:failed c:deployed');
});

test('if a host of a wave fails, later waves are not started; one that is off does not count', async () => {
  const { kinds, outcomes } = await run(
    'abcde',
    { ...free, waves: ['a', 'b'] },
    { bad: { a: 'unreachable', b: 'rolled-back' } },
  );
  expect(kinds).toBe('a:unreachable b:rolled-back c:skipped d:skipped e:skipped');
  expect(outcomes[2]?.message).toBe('Not started: b of the wave `b` failed.');
});

test('after more failures than allowed, no further host is started', async () => {
  const { kinds, outcomes } = await run(
    'abcde',
    { ...free, parallel: 1, maxFailures: 1 },
    { bad: { a: 'failed', c: 'refused' } },
  );
  expect(kinds).toBe('a:failed b:deployed c:refused d:skipped e:skipped');
  expect(outcomes[4]?.message).toBe('Not started: a, c failed, and max-failures is 1.');
});

test('a failure counts before the place of its host is free for one that waits for it', async () => {
  const { kinds } = await run(
    'ab',
    { ...free, parallel: 1, maxFailures: 0 },
    { bad: { a: 'failed' }, onActivate: (_, events) => untilPrepared(events, 'b') },
  );
  expect(kinds).toBe('a:failed b:skipped');
});

test('an unreachable host is not counted, unless it is the canary', async () => {
  const one = { ...free, parallel: 1, maxFailures: 0 };
  expect((await run('abc', one, { bad: { a: 'unreachable' } })).kinds).toBe('a:unreachable b:deployed c:deployed');
  expect((await run('abc', { ...one, canary: { hosts: 1 } }, { bad: { a: 'unreachable' } })).kinds).toBe(
    'a:unreachable b:skipped c:skipped',
  );
});

test('a reboot that is needed is not a failure', async () => {
  const { kinds } = await run('ab', { ...free, parallel: 1, maxFailures: 0 }, { bad: { a: 'needs-reboot' } });
  expect(kinds).toBe('a:needs-reboot b:deployed');
});

test('a cancelled run starts no further host', async () => {
  const cancelled = new AbortController();
  const { kinds, outcomes } = await run(
    'abc',
    { ...free, parallel: 1 },
    { signal: cancelled.signal, onActivate: host => (host === 'b' ? cancelled.abort() : undefined) },
  );
  expect(kinds).toBe('a:deployed b:deployed c:skipped');
  expect(outcomes[2]?.message).toBe('The run was cancelled before this host was started.');
});

/** Fulfilled once the roll-out has prepared a host, while another one is being activated. */
function untilPrepared(events: readonly string[], host: string): Promise<void> {
  return new Promise(resolve => {
    const look = setInterval(() => {
      if (!events.includes(`prepare ${host}`)) return;
      clearInterval(look);
      resolve();
    }, 1);
  });
}

test('the next hosts are prepared while earlier ones are activated, as many as `parallel`, in later waves too', async () => {
  const { events, kinds } = await run(
    'abcd',
    { ...free, parallel: 1, waves: ['a', 'b'] },
    // Hangs if `b` is prepared only after `a` has ended.
    { onActivate: (host, so) => (host === 'a' ? untilPrepared(so, 'b') : undefined) },
  );
  expect(kinds).toBe('a:deployed b:deployed c:deployed d:deployed');
  // Only one is prepared ahead.
  expect(events.indexOf('prepare c')).toBeGreaterThan(events.indexOf('end a'));
});

test('what happens to a host of a wave that does not begin does not count', async () => {
  const { kinds, events } = await run(
    'abc',
    { ...free, parallel: 3, canary: { hosts: 1 } },
    { bad: { a: 'failed', b: 'unreachable' }, off: 'c' },
  );
  expect(kinds).toBe('a:failed b:skipped c:skipped');
  expect(events).not.toContain('activate b');
});

test('hosts that do not answer do not hold up the others', async () => {
  const cancelled = new AbortController();
  // Hangs if only `parallel` hosts are begun: these two answer when the run is cancelled, which is when the others have ended.
  const left = new Set('cdef');
  const { kinds, most } = await run(
    'abcdef',
    { ...free, parallel: 2 },
    {
      off: 'ab',
      signal: cancelled.signal,
      onActivate: host => {
        left.delete(host);
        if (left.size === 0) cancelled.abort();
      },
    },
  );
  expect(kinds).toBe('a:unreachable b:unreachable c:deployed d:deployed e:deployed f:deployed');
  expect(most).toBe(2);
}, 20_000);
