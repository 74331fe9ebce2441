import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Activations, script } from '../support/activation-driver.ts';
import type { Machine } from '../support/machine.ts';
import { startPlainMachine } from '../support/plain-machine.ts';

// Other users of a target against an activation: its confirmation, its records, and what is in them. The user `deploy` has no
// `sudo` here: the verbs are called as that user.

let machine: Machine;
let on: Activations;

beforeAll(async () => {
  on = await startPlainMachine('shared');
  machine = on.target.machine;
  await on.deploy('switch', 'one');
}, 120_000);
afterAll(() => machine?.stop());

const records = '/var/lib/nix-ferry';

/** Calls a verb as a user of the machine who is not root. */
async function asUser(verb: string, ...args: string[]): Promise<string> {
  const words = ['sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
  return (await machine.run(words, { input: script, user: 'deploy', allow: [0, 1, 2] })).stdout;
}

async function write(file: string, text: string): Promise<void> {
  await machine.run(['sh', '-c', 'cat >"$0"', file], { input: text });
}

test('only root confirms, and only with the nonce of this very run', async () => {
  const earlier = on.id();
  const first = on.run(earlier, 'switch', 'two', { confirm: '60', nonce: 'of-the-first' });
  await on.inPhase(earlier, 'confirm');
  expect((await on.call('confirm', earlier, 'of-the-first')).values).toMatchObject({ confirmed: 'yes' });
  expect((await first).values).toMatchObject({ result: 'finished', confirmed: 'yes' });

  const id = on.id();
  const second = on.run(id, 'switch', 'one', { confirm: '8', nonce: 'of-the-second' });
  await on.inPhase(id, 'confirm');
  // A guess, none, a pattern, and that of an earlier run.
  for (const nonce of ['guess', '', '*', 'of-the-first']) {
    const { values } = await on.call('confirm', id, nonce);
    expect(values).toMatchObject({ confirmed: 'no', why: 'this is not the nonce of the run' });
  }
  // Another user who has seen the right one, for example in the arguments of a process.
  expect(await asUser('confirm', id, 'of-the-second')).not.toContain('confirmed=yes');
  expect(await asUser('reject', id, 'for fun')).not.toContain('rejected=yes');
  expect((await second).values).toMatchObject({ result: 'went-back', confirmed: 'no', current: on.toplevel('two') });
  expect((await on.call('confirm', id, 'of-the-second')).values).toMatchObject({ confirmed: 'no' });
  await on.call('finish', id);
  await on.call('finish', earlier);
}, 120_000);

test('records that another user can write are not acted upon, and nothing is written there', async () => {
  await on.deploy('switch', 'one');
  const planted = {
    ...{ id: 'planted-1', mode: 'switch', toplevel: on.toplevel('one'), host: 'web' },
    ...{ phase: 'activate', before: on.toplevel('two'), profile: on.toplevel('two'), generation: 'system-2-link' },
  };
  const lines = Object.entries(planted).map(([key, value]) => ` "${key}": ${JSON.stringify(value)},`);
  for (const [change, restore] of [
    [`chown deploy ${records}`, `chown root ${records}`],
    [`chmod o+w ${records}`, `chmod o-w ${records}`],
    [`chmod g+w ${records}`, `chmod g-w ${records}`],
  ] as const) {
    await machine.run(['sh', '-c', change]);
    await write(`${records}/activating.json`, `{\n${lines.join('\n')}\n "time": "2026-01-01T00:00:00Z"\n}\n`);
    const { values: settled } = await on.call('settle');
    expect(settled).toMatchObject({ settled: '', current: on.toplevel('one'), profile: on.toplevel('one') });
    const id = on.id();
    const { values } = await on.run(id, 'switch', 'two');
    expect(values).toMatchObject({ result: 'refused', current: on.toplevel('one') });
    expect(values.why).toMatch(/other users than root can write to \/var\/lib\/nix-ferry/);
    await on.call('finish', id);
    expect(await on.target.says('cat', `${records}/activating.json`)).toContain('planted-1');
    await machine.run(['sh', '-c', `rm ${records}/activating.json && ${restore}`]);
  }
  expect((await on.deploy('switch', 'two')).values).toMatchObject({ result: 'finished' });
}, 120_000);

test.each([
  ['is huge', 'x'.repeat(20 << 20)],
  ['is not JSON', '\u0000\u001b[2J not = JSON\nend=probe\ncurrent=/nix/store/evil\n'],
  [
    'has values of every kind',
    '{\n "commit": "![x](https://evil.example) \u001b]0;x\u0007",\n "committed": 9e99; rm -rf /,\n "repository": "acme/fleet",\n "branch": "main"\n}\n',
  ],
])(
  'a deployed.json that %s neither stops a deployment nor adds an answer',
  async (_, text) => {
    await on.deploy('switch', 'one');
    await write(`${records}/deployed.json`, text);
    const { values } = await on.call('probe');
    expect(values).toMatchObject({ end: 'probe', current: on.toplevel('one'), open: '' });
    const spec = { repository: 'acme/fleet', branch: 'main', committed: '5', commit: 'a'.repeat(40) };
    const { values: deployed } = await on.deploy('switch', 'two', spec);
    expect(deployed).toMatchObject({ result: 'finished', current: on.toplevel('two') });
    // It is a record again.
    expect(JSON.parse(await on.target.says('cat', `${records}/deployed.json`))).toMatchObject({
      repository: 'acme/fleet',
    });
  },
  60_000,
);
