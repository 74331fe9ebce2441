import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { probeProgram } from '../../../src/setup/probe-program.ts';
import { testAddress } from '../support/link.ts';
import { Runner } from '../support/runner.ts';
import { drive, startDriving, stateFile } from '../support/setup.ts';
import { generateKey, type Key, until } from '../support/target.ts';

const token = `ghs_${randomUUID()}`;
let runner: Runner;
let key: Key;

beforeEach(async () => {
  key = await generateKey('builder');
  runner = await Runner.start({ name: 'teardown', nix: '2.26' });
  const input = probeProgram('aarch64-linux') ?? Buffer.alloc(0);
  await runner.machine.run(['sh', '-c', 'cat >/var/tmp/program && chmod +x /var/tmp/program'], { input });
});
afterEach(() => runner.stop());

const derivations = [
  {
    name: 'arm',
    system: 'aarch64-linux',
    expression: `derivation { name = "arm"; system = "aarch64-linux"; builder = /var/tmp/program;
      args = [ (builtins.placeholder "out") "/run/not-in-a-sandbox" ]; }`,
  },
];
const config = { nixConf: 'substituters =', githubToken: token };

/** Everything of a run on the machine: processes, registrations, mounts, files, texts of secrets. */
async function traces(): Promise<Record<string, string>> {
  const lines = async (script: string): Promise<string> =>
    (await runner.machine.run(['sh', '-c', script])).stdout.trim();
  const half = key.private.split('\n')[2] ?? 'none';
  return {
    processes: await lines('ps -eo args | grep -E "[n]ix-daemon|[r]oot\\.sh|[q]emu-aarch64" || true'),
    registrations: await lines('ls /proc/sys/fs/binfmt_misc | grep -v -e "^register$" -e "^status$" || true'),
    files: await lines('find /run /dev/shm /nix -maxdepth 1 -name "*nix-ferry*"'),
    // Do not descend into other mounts.
    secrets: await lines(
      `find /run /tmp /var /home /root /etc /nix/var /dev/shm -xdev -type f -exec grep -lsF -e ${token} -e ${half} {} + || true`,
    ),
    accounts: await lines('grep -rs nix-ferry /etc/nix /etc/passwd /etc/group || true'),
  };
}
const none = { processes: '', registrations: '', files: '', secrets: '', accounts: '' };

test('a complete run leaves nothing; during the run, only root and the user can read its secrets', async () => {
  const { error, state } = await drive(runner, { config, derivations });
  expect(error).toBeNull();
  const during = await traces();
  expect(during.processes).toContain('nix-daemon');
  expect(during.registrations).toContain('aarch64-linux');
  expect(during.secrets).toMatch(/^\/run\/nix-ferry-[0-9a-f]{16}\/client\/access-tokens$/);
  const other = await runner.machine.run(['cat', during.secrets ?? ''], { user: 'nobody', allow: [0, 1] });
  expect(other.code).toBe(1);
  await drive(runner, { state });
  expect(await traces()).toEqual(none);
});

test('neither does a run that was killed at its end', async () => {
  await drive(runner, { config, derivations, end: 'kill' }).catch(error =>
    expect(error.failure).toEqual({ kind: 'signal', signal: 'SIGKILL' }),
  );
  expect((await traces()).processes).toContain('nix-daemon');
  await drive(runner, { state: (await runner.run(['cat', stateFile])).stdout });
  expect(await traces()).toEqual(none);
});

describe('a run that was killed in the middle leaves nothing', () => {
  // From before the first change to after the last one, on the machines that run these tests.
  test.each([250, 400, 600, 900, 1500, 2500])('after %i ms', async milliseconds => {
    const driving = startDriving(runner, { config, derivations });
    await sleep(milliseconds);
    await driving.kill();
    const { stdout: state } = await runner.run(['sh', '-c', `cat ${stateFile} 2>/dev/null || true`]);
    await drive(runner, { state });
    expect(await traces()).toEqual(none);
  });

  test('while it waits for a download, with the key of a builder in memory', async () => {
    const server = createServer(() => undefined).listen(0);
    const source = `http://${testAddress}:${(server.address() as AddressInfo).port}`;
    const builder = { host: '10.0.0.9', systems: ['aarch64-linux'], key: key.private, 'host-key': key.public };
    const builders = JSON.stringify([builder]);
    const order = { config: { ...config, nixVersion: '2.34.4', nixSource: source, builders } };
    const driving = startDriving(runner, order);
    await until(async () => expect((await traces()).secrets).toContain('keys'), 'the key');
    await driving.kill();
    expect((await traces()).secrets).toContain('/client/keys/key-1');
    await drive(runner, { state: (await runner.run(['cat', stateFile])).stdout });
    expect(await traces()).toEqual(none);
    server.closeAllConnections();
    server.close();
  });
});

test('a second teardown, or one without a run, does nothing and prints nothing', async () => {
  const { state } = await drive(runner, { config, end: 'teardown' });
  const again = await drive(runner, { state });
  expect(again.log).toEqual([]);
  const wrong = await drive(runner, { state: '{"directory":"/etc"}' });
  expect(wrong.log.join('\n')).toContain('warning: ');
  expect((await runner.run(['ls', '/etc/passwd'])).code).toBe(0);
});
