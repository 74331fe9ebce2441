import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { probeProgram } from '../../../src/setup/probe-program.ts';
import { Runner } from '../support/runner.ts';
import { drive } from '../support/setup.ts';
import { generateKey, type Key, startAarch64Target, type Target } from '../support/target.ts';

let runner: Runner;
let builder: Target;
let key: Key;
beforeAll(async () => {
  key = await generateKey('builder');
  builder = await startAarch64Target({ name: 'builder', deployKey: key });
  runner = await Runner.start({ name: 'remote', nix: '2.26' });
  const input = probeProgram('aarch64-linux') ?? Buffer.alloc(0);
  await runner.machine.run(['sh', '-c', 'cat >/var/tmp/program && chmod +x /var/tmp/program'], { input });
});
afterAll(() => Promise.all([runner.stop(), builder.stop()]));

const derivation = (name: string) => ({
  name,
  system: 'aarch64-linux',
  expression: `derivation { name = "${name}"; system = "aarch64-linux"; builder = /var/tmp/program;
    args = [ (builtins.placeholder "out") "/run/not-in-a-sandbox" ]; }`,
});

function yaml(changes: Record<string, unknown> = {}): string {
  const fields = { host: builder.address, user: 'root', systems: ['aarch64-linux'], key: key.private };
  return JSON.stringify([{ ...fields, 'host-key': builder.hostKey.public, ...changes }]);
}

const run = (builders: string, name: string) =>
  drive(runner, {
    config: { nixConf: 'substituters =', builders },
    derivations: [derivation(name)],
    end: 'teardown',
  });

test('the remote builder builds for aarch64 while this machine has no emulation', async () => {
  const { error, outputs, built, log } = await run(yaml(), 'far');
  expect(error).toBeNull();
  expect(built).toContain(`on 'ssh-ng://${builder.address}'`);
  expect(readFileSync(runner.machine.path(outputs[0] ?? ''), 'latin1').split('\0')[0]).toBe('aarch64');
  expect(log.join('\n')).not.toContain('Emulation');
  expect((await runner.run(['ls', '/proc/sys/fs/binfmt_misc'])).stdout).toBe('register\nstatus\n');
});

test("the same in Nix's machines format, with the other protocol and a key in a file", async () => {
  await runner.run(['sh', '-c', 'umask 077 && cat >/home/runner/key'], { input: key.private });
  const hostKey = Buffer.from(builder.hostKey.public).toString('base64');
  const line = `ssh://root@${builder.address} aarch64-linux /home/runner/key 4 1 - - ${hostKey}`;
  const { error, built } = await run(line, 'machines');
  expect(error).toBeNull();
  expect(built).toContain(`on 'ssh://${builder.address}'`);
});

test.each<[string, () => Promise<Record<string, unknown>>, RegExp]>([
  [
    'another host key than the pinned one',
    async () => ({ 'host-key': (await generateKey('other')).public }),
    /has a host key other than the one pinned in `builders`/,
  ],
  ['a key it does not know', async () => ({ key: (await generateKey('other')).private }), /denied access/],
  ['a port that nothing listens on', async () => ({ port: 2 }), /cannot be reached/],
  ['a system that it cannot build for', async () => ({ systems: ['riscv64-linux'] }), /cannot build for this system/],
])('refused, with what to do: %s', async (_what, changes, message) => {
  const { error } = await run(yaml(await changes()), 'refused');
  expect(error?.message).toMatch(message);
  expect(error?.cure).toBeTruthy();
});

test('no key is left', async () => {
  const half = key.private.split('\n')[2] ?? '';
  const { stdout } = await runner.machine.run(
    ['grep', '-rlsF', '--exclude=key', '--exclude-dir=proc', half, '/run', '/tmp', '/var', '/home', '/nix', '/dev/shm'],
    { allow: [0, 1, 2] },
  );
  expect(stdout).toBe('');
});
