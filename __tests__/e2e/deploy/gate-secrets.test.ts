import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gateCommand, orderValues } from '../../../src/deploy/gate.ts';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { secretFields } from '../../../src/deploy/secrets/fields.ts';
import { encode, fieldLines, type Value, valueLines } from '../../../src/deploy/values.ts';
import type { Secret } from '../../../src/plan/fleet.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
import { address } from '../support/deploy-fixture.ts';
import { committed, GateFixture, type Name } from '../support/gate-fixture.ts';

// Secrets that reach a target through its gate: everything about them is in the signed order, their contents as a digest.

let gate: GateFixture;

beforeAll(async () => {
  gate = await GateFixture.start();
}, 240_000);
afterAll(() => gate?.stop());

function secret(text: string, more: Partial<Secret> = {}): Secret {
  return {
    name: "the database's",
    source: { text: new SecretText(text) },
    ...{
      destination: '/run/keys/db',
      user: 'root',
      group: 'root',
      permissions: '0440',
      action: ['date >> /run/actions'],
    },
    ...{ mkDirs: true, uploadAt: 'pre-activation', ...more },
  };
}

const go = (
  name: Name,
  text: string,
  more: Parameters<GateFixture['deploy']>[2] = {},
  health = 'true',
): Promise<Outcome> =>
  gate.deploy(
    name,
    {
      secrets: [secret(text)],
      healthChecks: { cmd: [{ description: 'a check', cmd: [health], period: 1, timeout: 5 }], http: [] },
    },
    more,
  );
const content = (): Promise<string> => gate.target.says('sh', '-c', 'cat /run/keys/db; stat -c %a /run/keys/db');
const actions = async (): Promise<number> => Number(await gate.target.says('sh', '-c', 'cat /run/actions | wc -l'));

test('a secret arrives with the activation, and its action runs', async () => {
  expect(await go('two', 'first')).toMatchObject({ outcome: 'deployed', secrets: { changed: ["the database's"] } });
  expect(await content()).toBe('first440');
  expect(await actions()).toBe(1);
}, 120_000);

test('a dry run compares it, and sends no content', async () => {
  const outcome = await go('two', 'second', { mode: 'dry-activate' });
  expect(outcome).toMatchObject({ outcome: 'planned', secrets: { changed: ["the database's"] } });
  expect(await content()).toBe('first440');
  const same = await go('two', 'first', { mode: 'dry-activate' });
  expect(same).toMatchObject({ outcome: 'unchanged', secrets: { unchanged: ["the database's"] } });
}, 120_000);

test('it is replaced without an activation', async () => {
  expect(await go('absent', 'second', { mode: 'secrets' })).toMatchObject({ outcome: 'deployed' });
  expect(await content()).toBe('second440');
  expect(await actions()).toBe(2);
}, 60_000);

test('it is taken back with the activation', async () => {
  const outcome = await go('three', 'third', { healthTimeout: 2 }, 'false');
  expect(outcome).toMatchObject({ outcome: 'rolled-back' });
  expect(await content()).toBe('second440');
}, 120_000);

/** Sends secrets to the gate, as a thief of the key would. */
async function stage(
  order: Awaited<ReturnType<GateFixture['order']>>,
  secrets: Secret[],
  more: Value[] = [],
  id = 'a',
) {
  const values: Value[] = [
    ...orderValues(order),
    ['who', encode('a test')],
    ['lock-wait', encode('10')],
    ['secrets', encode(fieldLines(secretFields(secrets)))],
    ...more,
  ];
  const { code, stderr, stdout } = await gate.ssh(
    gate.keys.deploy,
    [gate.user, gateCommand('stage', id)],
    valueLines(values),
  );
  return { code, stdout, said: stderr.split('\n').find(line => line.startsWith('nix-ferry-gate: ')) };
}

async function expectRefused(answer: ReturnType<typeof stage>, why: string | RegExp): Promise<void> {
  const left = await gate.target.says('sh', '-c', 'ls /run/nix-ferry');
  const { code, stdout, said } = await answer;
  expect({ code, stdout }).toEqual({ code: 77, stdout: '' });
  expect(said).toMatch(why);
  expect(await gate.target.says('sh', '-c', 'ls /run/nix-ferry')).toBe(left);
  const journal = await gate.journal({ identifier: 'nix-ferry-gate' });
  expect(journal.at(-1)).toContain(`refused ${await gate.fingerprint(gate.keys.deploy)}: `);
  expect(journal.at(-1)).toMatch(why);
  expect(await content()).toBe('second440');
}

const other = 'the secrets are not those of the order';
const otherContents = 'the contents of the secrets are not those of the order';
const authorized = { destination: '/root/.ssh/authorized_keys', permissions: '0600' };

test.each<[string, Partial<Secret>]>([
  ['destination', authorized],
  ['owner', { user: 'nix-ferry' }],
  ['mode', { permissions: '4755' }],
  ['action', { action: ['touch /tmp/pwned'] }],
])('another %s than that of the order is refused', async (_, more) => {
  const order = await gate.order('two', { secrets: [secret('x')] }, 'own', ['x']);
  await expectRefused(stage(order, [secret('x', more)], [['1.content', encode('x')]]), other);
});

test('more secrets, or fewer, than those of the order are refused', async () => {
  const order = await gate.order('two', { secrets: [secret('x')] }, 'own', ['x']);
  await expectRefused(stage(order, [secret('x'), secret('x', authorized)]), other);
  await expectRefused(stage(order, []), other);
  await expectRefused(stage(await gate.order('two'), [secret('x')]), other);
  await expectRefused(stage(order, [secret('x')], [['2.content', encode('x')]], 'b'), otherContents);
});

test('other contents than those of the order are refused, and contents that nobody has signed', async () => {
  const secrets = [secret('x'), secret('y', { destination: '/run/keys/other' })];
  const both = (first: string, second: string): Value[] => [
    ['1.content', encode(first)],
    ['2.content', encode(second)],
  ];
  const order = await gate.order('two', { secrets }, 'own', ['x', 'y']);
  await expectRefused(stage(order, secrets, both('x', 'pwned')), otherContents);
  await expectRefused(stage(order, secrets, both('y', 'x')), otherContents);
  await expectRefused(stage(order, secrets, both('x', 'y').slice(0, 1)), otherContents);
  await expectRefused(stage(order, secrets, [...both('x', 'y'), ['3.content', encode('z')]]), otherContents);
  await expectRefused(stage(order, secrets), 'the secrets have no contents');
  const compared: Value = ['key', encode('ab'.repeat(16))];
  await expectRefused(stage(order, secrets, [compared, ...both('x', 'y')]), /only compared/);
  const unknown = await gate.order('two', { secrets });
  await expectRefused(stage(unknown, secrets, both('x', 'y')), otherContents);
});

test.each(['', 'not a digest', `${'a'.repeat(32)} ${'b'.repeat(63)}\n-`, `${'a'.repeat(32)} ${'b'.repeat(65)}`])(
  'a digest that is none is refused: %j',
  async digest => {
    const order = await gate.order('two', { secrets: [secret('x')] }, 'own', ['x']);
    const values: Value[] = [
      ['1.content', encode('x')],
      ['1.digest', encode(digest)],
    ];
    await expectRefused(stage(order, [secret('x')], values, 'digest'), 'the value of digest is damaged');
  },
);

test('an order of another host, of another key, or of an older commit is refused', async () => {
  const secrets = [secret('x')];
  const elsewhere = await gate.order('two', { host: 'db', secrets });
  await expectRefused(stage(elsewhere, secrets), 'the order is for db, and this machine is web');
  const stranger = await gate.order('two', { secrets }, 'other');
  const unsigned = 'the order is not signed by a key of this machine (it is signed by stranger-1)';
  await expectRefused(stage(stranger, secrets), unsigned);
  const origin = { commit: null, repository: null, branch: null, committed: committed.older };
  const older = await gate.order('two', { origin, secrets });
  await expectRefused(stage(older, secrets), 'the order is older than what was deployed last');
});

test('secrets of one order are refused for a run of another', async () => {
  const order = await gate.order('two', { secrets: [secret('x')] }, 'own', ['x']);
  expect(await stage(order, [secret('x')], [['1.content', encode('x')]], 'mixed')).toMatchObject({
    code: 0,
    stdout: 'staged=yes\n',
  });
  const { code, stderr } = await gate.run(await gate.order('three'), {}, 'mixed');
  expect(code).toBe(77);
  expect(stderr).toContain('the secrets of the run belong to another order');
  expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
});

test('a target of a user whose key may not deploy gets none', async () => {
  const outcome = await gate.deploy(
    'two',
    { secrets: [secret('fourth')], target: address(gate.target, { user: 'nix-ferry' }) },
    { key: gate.keys.preview },
  );
  expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining('this key may only describe') });
  expect(await content()).toBe('second440');
});
