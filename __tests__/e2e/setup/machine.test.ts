import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { probeProgram } from '../../../src/setup/probe-program.ts';
import { Runner } from '../support/runner.ts';
import { drive } from '../support/setup.ts';

/** A personal machine: Nix belongs to the user and has no daemon, and root is used only if necessary. */
let runner: Runner;

beforeAll(async () => {
  runner = await Runner.start({ name: 'person', nix: '2.26' });
  await runner.machine.run(['sh', '-c', 'mkdir -p /nix /etc/nix && chown -R runner /nix']);
  for (const system of ['x86_64-linux', 'aarch64-linux']) {
    const input = probeProgram(system) ?? Buffer.alloc(0);
    await runner.machine.run(['sh', '-c', 'cat >"$1" && chmod +x "$1"', 'sh', `/var/tmp/program-${system}`], { input });
  }
});
afterAll(() => runner.stop());

function derivation(system: string) {
  const args = '[ (builtins.placeholder "out") "/run/not-in-a-sandbox" ]';
  const expression = `derivation { name = "on-${system}"; system = "${system}"; builder = /var/tmp/program-${system}; args = ${args}; }`;
  return { name: system, system, expression };
}

async function settings(text: string): Promise<void> {
  await runner.machine.run(['sh', '-c', 'cat >/etc/nix/nix.conf'], { input: `substituters =\n${text}\n` });
}

test('its Nix is used unchanged: nothing is started, and root is not needed', async () => {
  await settings('sandbox = true');
  await runner.machine.run(['mv', '/usr/bin/sudo', '/usr/bin/sudo.away']);
  const answer = await drive(runner, { config: { daemon: 'any' }, derivations: [derivation('x86_64-linux')] });
  await runner.machine.run(['mv', '/usr/bin/sudo.away', '/usr/bin/sudo']);
  expect(answer.error).toBeNull();
  expect(answer.state).toBe('');
  expect(answer.outputs).toHaveLength(1);
  expect(answer.log.join('\n')).toContain("Using the machine's own Nix");
});

test('a machine without a sandbox is not used unchanged', async () => {
  await settings('sandbox = false');
  const answer = await drive(runner, { config: { daemon: 'any' }, end: 'teardown' });
  expect(answer.error).toBeNull();
  expect(answer.state).not.toBe('');
  expect(answer.log.join('\n')).toContain("is not suitable as it is: Nix's sandbox is disabled");
});

test('without a sandbox it is used unchanged for evaluating, and nothing is built', async () => {
  await settings('sandbox = false');
  const answer = await drive(runner, { config: { daemon: 'any', builds: false } });
  expect(answer.error).toBeNull();
  expect(answer.state).toBe('');
  expect(answer.started.filter(command => command.includes('nix-build'))).toEqual([]);
  expect(answer.log.join('\n')).not.toContain('sandbox');
});

test('a missing shell of the sandbox is named, and namespaces are not blamed', async () => {
  await settings('sandbox = true\nsandbox-paths = /bin/sh=/usr/bin/no-such-shell');
  const answer = await drive(runner, { end: 'teardown' });
  expect(answer.error).toMatchObject({
    message: expect.stringContaining('/usr/bin/no-such-shell, which the sandbox contains, does not exist'),
    cure: expect.stringContaining('`sandbox-paths`'),
  });
});

test('a setting that it lacks, such as another system, needs a separate daemon', async () => {
  await settings('sandbox = true');
  const order = { config: { daemon: 'any' as const }, derivations: [derivation('aarch64-linux')] };
  const answer = await drive(runner, { ...order, end: 'teardown' });
  expect(answer.error).toBeNull();
  expect(answer.state).not.toBe('');
  expect(answer.outputs).toHaveLength(1);
});

test('after the run, the store belongs to the user again and their Nix builds as before', async () => {
  const own = async (mark: string): Promise<void> => {
    const expression = derivation('x86_64-linux').expression.replace('on-', `${mark}-`);
    await runner.run(['nix-build', '--no-out-link', '-E', expression]);
  };
  await own('before');
  const build = { config: { daemon: 'own' as const }, derivations: [derivation('x86_64-linux')] };
  const [first, second] = [await drive(runner, build), await drive(runner, build)];
  expect([first.error, second.error]).toEqual([null, null]);
  expect((await runner.run(['stat', '-c', '%U', '/nix/store'])).stdout).toBe('root\n');
  for (const { state } of [first, second]) await drive(runner, { state });
  expect((await runner.machine.run(['find', '/nix/store', '/nix/var', '-user', '0'])).stdout).toBe('');
  await own('after');
});
