import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { repository } from '../support/machine.ts';
import { Runner } from '../support/runner.ts';
import { until } from '../support/target.ts';

// `npm run demo` on a machine without Nix, qemu and sshd, which come from the distribution.

const cli = join(repository, 'dist/cli.js');
const fleet = { router: 'aarch64', server: 'x86_64' };
let runner: Runner;

beforeAll(async () => {
  runner = await Runner.start();
});
afterAll(() => runner.stop());

async function demo(): Promise<string> {
  return (await runner.run(['node', cli, 'demo'])).stdout;
}

/** Everything that a demo could leave behind: processes, files, mounts and registrations. */
async function left(): Promise<string> {
  // The patterns do not match this script's own arguments.
  const script = `
    grep -lszE 'target[.]sh|/ssh[d]|nix-daemo[n]|fetch-[bs]|cli[.]js' /proc/[0-9]*/cmdline |
      while read -r file; do tr '\\0' ' ' < "$file"; echo; done
    ls -d /tmp/ferry-* /run/nix-ferry-* /proc/sys/fs/binfmt_misc/nix-ferry-* 2>/dev/null
    cat /proc/mounts`;
  return (await runner.run(['sudo', 'sh'], { input: script })).stdout;
}

test('deploys both hosts to targets of different architectures', async () => {
  await runner.run(['sh', '-c', '! command -v nix && ! command -v qemu-aarch64-static && ! test -e /usr/sbin/sshd']);
  const before = await left();
  const said = await demo();
  for (const [name, machine] of Object.entries(fleet)) {
    expect(said).toMatch(new RegExp(`${name} +${machine}-linux +deployed`));
    const runs = new RegExp(
      `${name} +runs (/nix/store/[0-9a-z]{32}-nixos-system-${name}-\\S+)\n +profile \\1; its own uname -m: ${machine};`,
    );
    expect(said).toMatch(runs);
    expect(said).toMatch(new RegExp(`${name} +${machine}-linux +unchanged`));
  }
  expect(said).toContain('Both hosts run what their source says.');
  expect(await left()).toBe(before);
  // Its packages are not installed.
  await runner.run(['test', '!', '-e', '/usr/sbin/sshd']);
});

test('the second run builds nothing, and downloads only qemu', async () => {
  const wrapper = '#!/bin/sh\necho "$*" >>/tmp/apt-calls\nexec /usr/bin/apt-get.real "$@"\n';
  const wrap =
    'cd /usr/bin && mv apt-get apt-get.real && cat >apt-get && chmod 755 apt-get && install -m 666 /dev/null /tmp/apt-calls';
  await runner.run(['sudo', 'sh', '-c', wrap], { input: wrapper });
  // The probes that prove the sandbox and the emulation are new each time.
  const list = 'ls /nix/store | grep -vE "[.]lock$|nix-ferry-probe"';
  const store = async () => (await runner.run(['sh', '-c', list])).stdout;
  const before = await store();
  expect(await demo()).toContain('Both hosts run what their source says.');
  expect(await store()).toBe(before);
  expect((await runner.run(['cat', '/tmp/apt-calls'])).stdout).not.toMatch(/update|install|download (?!qemu)/);
});

/**
 * A runner signals only the program, a terminal the whole foreground group; a person may press Ctrl-C again while the demo
 * cleans up.
 */
const interrupted = `
  seconds=$1 && shift
  setsid "$@" & sleep "$seconds"
  kill -s INT "$!"
  while kill -s INT -- "-$!" 2>/dev/null; do sleep 0.03; done
  wait`;

test('Ctrl-C ends it at any time, and it leaves nothing behind', async () => {
  const before = await left();
  for (const milliseconds of [300, 1500, 3000]) {
    const argv = ['sh', '-c', interrupted, 'sh', `${milliseconds / 1000}`, 'node', cli, 'demo'];
    const child = spawn('nsenter', runner.machine.enter(argv, { user: 'runner', env: { PATH: runner.path } }));
    let said = '';
    child.stdout.on('data', chunk => {
      said += chunk;
    });
    await new Promise(resolve => child.once('close', resolve));
    expect(said).not.toContain('Both hosts run');
    await until(async () => expect(await left()).toBe(before), 'the end of what it started');
  }
});

test('without sudo it says so and changes nothing', async () => {
  await runner.run(['sudo', 'useradd', '--create-home', 'guest']);
  const { code, stderr } = await runner.machine.run(['node', cli, 'demo'], { user: 'guest', allow: [2] });
  expect(code).toBe(2);
  expect(stderr).toBe(
    'ferry: The demo needs root, and `sudo -n` does not work. Run it as root, or as a user with sudo without a password.\n',
  );
});

test('if root may not mount, as in a plain container, it says so', async () => {
  const argv = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', 'node', cli, 'demo'];
  const { stderr } = await runner.machine.run(argv, { allow: [2] });
  expect(stderr).toBe(
    'ferry: Root may not create namespaces and mount in them on this machine. Run the demo on a real or virtual machine, or in a privileged container.\n',
  );
});
