import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { asset } from '../../../src/assets.ts';
import { probeProgram } from '../../../src/setup/probe-program.ts';
import { type NixVersion, Runner } from '../support/runner.ts';
import { drive } from '../support/setup.ts';

/** A derivation whose builder is a real program of `system`; its output is the machine type that it saw. */
function derivation(system: string, mark: string): { name: string; system: string; expression: string } {
  const program = `/var/tmp/program-${system}`;
  const args = '[ (builtins.placeholder "out") "/run/not-in-a-sandbox" ]';
  const expression = `derivation { name = "on-${mark}"; system = "${system}"; builder = ${program}; args = ${args}; }`;
  return { name: mark, system, expression };
}

const systems = ['x86_64-linux', 'aarch64-linux', 'armv7l-linux', 'riscv64-linux'];
const offline = { nixConf: 'substituters =' };

async function start(nix?: NixVersion, emulates = false): Promise<Runner> {
  const runner = await Runner.start({ name: 'emulation', ...(nix === undefined ? {} : { nix }), emulates });
  for (const system of systems) {
    const input = probeProgram(system) ?? Buffer.alloc(0);
    const script = 'cat >"$1" && chmod +x "$1"';
    await runner.machine.run(['sh', '-c', script, 'sh', `/var/tmp/program-${system}`], { input });
  }
  return runner;
}

/** Names of the registrations in the kernel. */
async function registered(runner: Runner): Promise<string[]> {
  const { stdout } = await runner.run(['ls', '/proc/sys/fs/binfmt_misc']);
  return stdout.split('\n').filter(name => !['', 'register', 'status'].includes(name));
}

let runner: Runner;
const output = (path: string): string => readFileSync(runner.machine.path(path), 'latin1').split('\0')[0] ?? '';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', nix => {
  beforeAll(async () => {
    runner = await start(nix);
  });
  afterAll(() => runner.stop());

  test('if all programs are x86_64, qemu is not registered', async () => {
    const { error, log } = await drive(runner, { config: offline, derivations: [derivation('x86_64-linux', 'own')] });
    expect(error).toBeNull();
    expect(log.join('\n')).not.toMatch(/qemu|Emulation/);
    expect(await registered(runner)).toEqual([]);
  });

  test('the probe distinguishes a build without a sandbox from one inside', async () => {
    const program = ['--argstr', 'program', '/var/tmp/program-x86_64-linux', '--argstr', 'system', 'x86_64-linux'];
    const argv = [`/opt/nix/${nix}/bin/nix-build`, asset('nix/probe.nix'), '--no-out-link', ...program];
    const options = ['--argstr', 'outside', '/etc/hostname', '--option', 'substitute', 'false'];
    const users = ['--option', 'build-users-group', ''];
    const build = (sandbox: string) =>
      runner.machine.run([...argv, ...options, ...users, '--option', 'sandbox', sandbox], {
        env: { NIX_REMOTE: 'local' },
        allow: [0, 1, 100],
      });
    const without = await build('false');
    expect(without.code).not.toBe(0);
    expect(without.stderr).toMatch(/exit code 7\b/);
    expect((await build('true')).code).toBe(0);
  });

  test('a derivation of aarch64 is built in the sandbox, and nothing is left registered', async () => {
    const order = { config: offline, derivations: [derivation('aarch64-linux', 'arm')], end: 'teardown' as const };
    const { error, outputs, log } = await drive(runner, order);
    expect(error).toBeNull();
    expect(output(outputs[0] ?? '')).toBe('aarch64');
    expect(log.join('\n')).toContain('Emulation of aarch64-linux: registered');
    expect(await registered(runner)).toEqual([]);
  });

  test('valid paths are not built, so qemu is not registered for them', async () => {
    const { error, log } = await drive(runner, { config: offline, derivations: [derivation('aarch64-linux', 'arm')] });
    expect(error).toBeNull();
    expect(log.join('\n')).not.toMatch(/Emulation/);
    expect(await registered(runner)).toEqual([]);
  });

  test('nor for paths that a cache has', async () => {
    const cached = '/var/tmp/public';
    const store = [`/opt/nix/${nix}/bin/nix`, '--extra-experimental-features', 'nix-command', 'copy', '--to'];
    const env = { NIX_REMOTE: 'local' };
    const { outputs } = await drive(runner, { config: offline, derivations: [derivation('aarch64-linux', 'arm')] });
    await runner.machine.run([...store, `file://${cached}`, outputs[0] ?? ''], { env });
    await runner.machine.run([`/opt/nix/${nix}/bin/nix-store`, '--delete', outputs[0] ?? ''], { env });
    const config = { nixConf: `substituters = file://${cached}?trusted=true` };
    const { error, log, built } = await drive(runner, { config, derivations: [derivation('aarch64-linux', 'arm')] });
    expect(error).toBeNull();
    expect(built).toContain(`from 'file://${cached}`);
    expect(log.join('\n')).not.toMatch(/Emulation/);
    expect(await registered(runner)).toEqual([]);
  });

  test('`emulate: never` names the derivations that need emulation, and the alternatives', async () => {
    const config = { ...offline, emulate: 'never' as const };
    const { error } = await drive(runner, { config, derivations: [derivation('aarch64-linux', 'never')] });
    expect(error?.message).toContain('1 for aarch64-linux: on-never');
    expect(error?.cure).toMatch(/arm.*remote builder.*cache/s);
    expect(await registered(runner)).toEqual([]);
  });
});

describe('existing registrations', () => {
  afterEach(() => runner.stop());

  test('an entry without F is kept, and ours takes precedence', async () => {
    runner = await start('2.26');
    await runner.machine.run(['apt-get', '-qq', 'install', '-y', 'qemu-user-static']);
    await runner.machine.run(['sh', '-c', 'echo -1 >/proc/sys/fs/binfmt_misc/status']).catch(() => undefined);
    await register(runner, 'without-f', '/usr/bin/qemu-aarch64-static', 'OC');
    const order = { config: offline, derivations: [derivation('aarch64-linux', 'arm')], end: 'teardown' as const };
    const { error, outputs } = await drive(runner, order);
    expect(error).toBeNull();
    expect(output(outputs[0] ?? '')).toBe('aarch64');
    expect(await registered(runner)).toEqual(['without-f']);
  });

  test('an entry with F is kept and used', async () => {
    runner = await start('2.26', true);
    const before = await registered(runner);
    const order = { config: offline, derivations: [derivation('aarch64-linux', 'arm')], end: 'teardown' as const };
    const { error, outputs, log } = await drive(runner, order);
    expect(error).toBeNull();
    expect(log.join('\n')).toContain(`already registered as ${before[0]}`);
    expect(output(outputs[0] ?? '')).toBe('aarch64');
    expect(await registered(runner)).toEqual(before);
  });

  test('an entry whose qemu cannot run is detected, and another one is tried', async () => {
    runner = await start('2.26');
    await register(runner, 'broken', '/bin/false', 'F');
    const order = { config: offline, derivations: [derivation('aarch64-linux', 'arm')], end: 'teardown' as const };
    const { error, outputs, log } = await drive(runner, order);
    expect(error).toBeNull();
    expect(log.join('\n')).toMatch(/warning: \/bin\/false \(broken\) does not run here/);
    expect(output(outputs[0] ?? '')).toBe('aarch64');
    expect(await registered(runner)).toEqual(['broken']);
  });

  test('two runs on one machine: the second still works after the first has ended', async () => {
    runner = await start('2.26');
    const binfmt = '/proc/sys/fs/binfmt_misc';
    await runner.machine.run(['umount', binfmt]);
    const order = (mark: string) => ({ config: offline, derivations: [derivation('aarch64-linux', mark)] });
    const [first, second] = [await drive(runner, order('first')), await drive(runner, order('second'))];
    expect([first.error, second.error]).toEqual([null, null]);
    expect(await registered(runner)).toHaveLength(2);
    await drive(runner, { state: first.state });
    const { directory } = JSON.parse(second.state) as { directory: string };
    expect(await registered(runner)).toEqual([`${directory.split('/').at(-1)}-aarch64-linux`]);
    const env = { NIX_REMOTE: `unix://${directory}/socket`, NIX_CONF_DIR: `${directory}/client` };
    const argv = ['nix-build', '--no-out-link', '-E', derivation('aarch64-linux', 'third').expression];
    const { stdout } = await runner.run(argv, { env });
    expect(output(stdout.trim())).toBe('aarch64');
    await drive(runner, { state: second.state });
    expect((await runner.run(['ls', binfmt])).stdout).toBe('');
  });

  test('a configured qemu that cannot run, or with a wrong hash, is an error; armv7l and riscv64 work the same way', async () => {
    runner = await start('2.26');
    const { stdout } = await runner.run(['sha256sum', '/var/tmp/program-x86_64-linux']);
    const given = { source: '/var/tmp/program-x86_64-linux', sha256: stdout.slice(0, 64) };
    const derivations = [derivation('armv7l-linux', 'v7'), derivation('riscv64-linux', 'v')];
    const broken = await drive(runner, { config: { ...offline, qemu: given }, derivations, end: 'teardown' });
    expect(broken.error?.message).toMatch(/Programs for \S+ do not run here under emulation/);
    const wrong = { ...given, sha256: '0'.repeat(64) };
    const refused = await drive(runner, { config: { ...offline, qemu: wrong }, derivations, end: 'teardown' });
    expect(refused.error?.message).toMatch(/is not used: its SHA-256 is .*, not 0{64}/);
    const { error, outputs } = await drive(runner, { config: offline, derivations, end: 'teardown' });
    expect(error).toBeNull();
    expect(outputs.map(output)).toEqual(['armv7l', 'riscv64']);
    expect(await registered(runner)).toEqual([]);
  });
});

/** A registration by another program on the machine: the ELF header of an aarch64 program, its mask, an interpreter. */
async function register(where: Runner, name: string, interpreter: string, flags: string): Promise<void> {
  const header = [...(probeProgram('aarch64-linux') ?? [])].slice(0, 20);
  const magic = header.map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  await where.machine.run(['sh', '-c', 'cat >/proc/sys/fs/binfmt_misc/register'], {
    input: `:${name}:M::${magic}::${interpreter}:${flags}`,
  });
}
