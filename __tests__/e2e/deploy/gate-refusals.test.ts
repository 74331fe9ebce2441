import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { gateCommand, gateRequest } from '../../../src/deploy/gate.ts';
import { exec } from '../../../src/exec.ts';
import { committed, GateFixture } from '../support/gate-fixture.ts';
import { type Key, until } from '../support/target.ts';

// What a restricted key must not be able to do, against the target's own sshd. Each refusal is in the target's journal with
// the fingerprint of the key, and nothing has changed afterwards.

let gate: GateFixture;
let before: unknown;
let lines: number;

beforeAll(async () => {
  gate = await GateFixture.start();
  const { target } = gate;
  // Variables that a client may send, and the program without which sshd has no X11 to forward.
  await target.says(
    'sh',
    '-c',
    'echo "AcceptEnv MARKER NIX_CONFIG BASH_ENV" > /etc/ssh/sshd_config.d/a-environment.conf',
  );
  await target.says('sh', '-c', 'printf "#!/bin/sh\\ncat >/dev/null\\n" > /usr/bin/xauth && chmod 755 /usr/bin/xauth');
  await target.says('systemctl', 'reload', 'ssh.service');
}, 240_000);
afterAll(() => gate?.stop());

beforeEach(async () => {
  before = await gate.state();
  lines = (await gate.journal({ identifier: 'nix-ferry-gate' })).length;
});
afterEach(async () => {
  expect(await gate.state()).toEqual(before);
  expect(existsSync(gate.target.machine.path('/tmp/pwned'))).toBe(false);
});

/** The new lines of the gate in the journal. */
async function logged(): Promise<string[]> {
  return (await gate.journal({ identifier: 'nix-ferry-gate' })).slice(lines);
}

async function expectLogged(key: Key, why: string): Promise<void> {
  const said = await logged();
  expect(said.at(-1)).toContain(`refused ${await gate.fingerprint(key)}`);
  expect(said.at(-1)).toContain(why);
}

/**
 * What sshd itself refuses: the journal has what was asked for and, linked by process numbers, the fingerprint of the key.
 *
 * @param asked how sshd names the request.
 */
async function expectLoggedBySshd(key: Key, asked: string): Promise<void> {
  await gate.target.says('journalctl', '--sync');
  const journal = await gate.target.says('journalctl', '--no-pager', '-o', 'short', '-t', 'sshd-session');
  const said = journal.split('\n').map(line => /sshd-session\[(\d+)\]: (.*)/.exec(line) ?? ['', '', '']);
  const of = (what: string) => said.filter(([, , text = '']) => text.includes(what)).at(-1) ?? ['', '', ''];
  const [, child] = of(asked);
  expect(child).toMatch(/^\d+$/);
  const [, monitor] = of(`User child is on pid ${child}`);
  const accepted = said.find(
    ([, pid, text = '']) => pid === monitor && text.includes('Accepted publickey for nix-ferry'),
  );
  expect(accepted?.[2]).toContain(await gate.fingerprint(key));
}

/** ssh with a restricted key, and with root's own as a control. */
const restricted = (args: string[], input = '') => gate.ssh(gate.keys.deploy, args, input);
const unrestricted = (args: string[], input = '') => gate.ssh(gate.keys.admin, args, input);
const root = (): string => `root@${gate.target.address}`;

describe('sshd and the gate refuse', () => {
  test('a shell', async () => {
    const { code, stderr, stdout } = await restricted([gate.user], 'touch /tmp/pwned\n');
    expect({ code, stdout }).toEqual({ code: 77, stdout: '' });
    expect(stderr).toContain('nix-ferry-gate: there is no shell here');
    await expectLogged(gate.keys.deploy, 'there is no shell here; asked for: nothing');
  });

  test.each([
    ['another program', 'id'],
    ['a shell', "sh -c 'touch /tmp/pwned'"],
    ['Nix without the gate', 'nix-daemon --stdio'],
    ['the script of ordinary targets', `sh -c 'self=$(cat) && eval "$self"' nix-ferry run x`],
    ['sudo', 'sudo -n id'],
    ['a verb of nobody', gateCommand('destroy')],
    ['the internal verbs of the script', gateCommand('supervise', 'x')],
    ['a verb with too few words', gateCommand('watch', 'x')],
    ['a verb with too many words', gateCommand('finish', 'x', 'y')],
    ['another option of the daemon', gateCommand('receive', '--daemon')],
    ['another version of the protocol', 'nix-ferry-gate 2 probe'],
    ['a second command', `${gateCommand('probe')}; touch /tmp/pwned`],
    ['a second line', `${gateCommand('probe')}\ntouch /tmp/pwned`],
    ['a substitution', gateCommand('finish', '$(touch /tmp/pwned)')],
    ['backticks', gateCommand('finish', '`touch /tmp/pwned`')],
    ['a pipe', `${gateCommand('probe')} | tee /tmp/pwned`],
    ['quotes', gateCommand('finish', "'x'")],
    ['double quotes', gateCommand('finish', '"x"')],
    ['a leading dash', gateCommand('finish', '-x')],
    ['a path', gateCommand('finish', '../../etc')],
    ['a tab', `nix-ferry-gate\t1\tprobe`],
    ['spaces', `nix-ferry-gate 1  probe`],
    ['a trailing space', 'nix-ferry-gate 1 probe '],
    ['100 KB', gateCommand('finish', 'x'.repeat(100_000))],
  ])('as a command: %s', async (_, command) => {
    const { code, stdout, stderr } = await restricted([gate.user, command], 'touch /tmp/pwned\n.\n');
    expect({ code, stdout }).toEqual({ code: 77, stdout: '' });
    expect(stderr).toMatch(/^nix-ferry-gate: /m);
    await expectLogged(gate.keys.deploy, 'asked for: ');
  });

  test('as a subsystem: sftp', async () => {
    const { code, stdout } = await restricted(['-s', gate.user, 'sftp']);
    expect({ code, stdout }).toEqual({ code: 77, stdout: '' });
    await expectLogged(gate.keys.deploy, 'sftp');
  });

  test.each([['-O'], ['-s']])('scp %s', async protocol => {
    const file = join(mkdtempSync(join(tmpdir(), 'scp-')), 'pwned');
    writeFileSync(file, 'pwned');
    const scp = (key: Key, to: string) =>
      exec('scp', [...gate.login(key), protocol, file, to], { allow: [0, 1, 255], timeout: 60_000 });
    expect((await scp(gate.keys.deploy, `${gate.user}:/tmp/pwned`)).code).not.toBe(0);
    await expectLogged(gate.keys.deploy, protocol === '-O' ? 'scp -t' : 'sftp');
    expect((await scp(gate.keys.admin, `${root()}:/tmp/control`)).code).toBe(0);
  });

  test('a connection to another port', async () => {
    const forward = ['-W', `${gate.target.address}:22`];
    const { code, stderr, stdout } = await restricted([...forward, gate.user]);
    expect({ code, stdout }).toEqual({ code: 255, stdout: '' });
    expect(stderr).toContain('administratively prohibited');
    expect((await unrestricted([...forward, root()], 'x\n')).stdout).toContain('SSH-2.0');
    await expectLoggedBySshd(gate.keys.deploy, 'refused local port forward');
  });

  test('a listening port', async () => {
    const forward = ['-o', 'ExitOnForwardFailure=yes', '-R', '8022:127.0.0.1:22'];
    const { code, stderr } = await restricted([...forward, gate.user, gateCommand('describe')]);
    expect(code).toBe(255);
    expect(stderr).toContain('remote port forwarding failed');
    await expectLoggedBySshd(gate.keys.deploy, 'rtype tcpip-forward');
    expect((await unrestricted([...forward, root(), 'true'])).code).toBe(0);
  });

  test('a terminal', async () => {
    const { stderr, code } = await restricted(['-tt', gate.user]);
    expect(stderr).toContain('PTY allocation request failed');
    await expectLoggedBySshd(gate.keys.deploy, 'req pty-req');
    expect(code).toBe(255);
    expect((await unrestricted(['-tt', root(), 'true'])).stderr).not.toContain('PTY allocation request failed');
  });

  test('X11', async () => {
    const forward = ['-Y', '-o', 'ForwardX11=yes'];
    const display = (key: Key, args: string[]) =>
      exec('ssh', [...gate.login(key), ...forward, ...args], {
        env: { ...process.env, DISPLAY: ':0' },
        allow: [0, 1, 255],
        input: '',
      });
    const denied = 'X11 forwarding request failed';
    expect((await display(gate.keys.deploy, [gate.user, gateCommand('describe')])).stderr).toContain(denied);
    await expectLoggedBySshd(gate.keys.deploy, 'req x11-req');
    expect((await display(gate.keys.admin, [root(), 'true'])).stderr).not.toContain(denied);
  });

  test('an agent, and variables', async () => {
    const agent = join(mkdtempSync(join(tmpdir(), 'agent-')), 'socket');
    const { stdout } = await exec('ssh-agent', ['-s', '-a', agent]);
    const env = { ...process.env, SSH_AUTH_SOCK: agent };
    const send = ['-A', '-o', 'SetEnv=MARKER=planted NIX_CONFIG=trusted-users=nix-ferry'];
    /** The environment of the process on the target that a connection starts, while it lasts. */
    const environment = async (key: Key, to: string, command: string, process: string): Promise<string> => {
      const ssh = spawn('ssh', [...gate.login(key), ...send, to, command], {
        env,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      try {
        return await until(
          () => gate.target.says('sh', '-c', `tr '\\0' '\\n' </proc/$(pgrep -xf "$0")/environ`, process),
          process,
        );
      } finally {
        ssh.kill();
      }
    };
    try {
      const variables = /^(SSH_AUTH_SOCK|MARKER|NIX_CONFIG|SSH_\w+)=/m;
      const { deploy, admin } = gate.keys;
      expect(await environment(deploy, gate.user, gateCommand('receive'), 'nix-daemon --stdio')).not.toMatch(variables);
      const control = await environment(admin, root(), 'sleep 61', 'sleep 61');
      for (const name of ['SSH_AUTH_SOCK', 'MARKER', 'NIX_CONFIG']) expect(control).toContain(`${name}=`);
      await expectLoggedBySshd(deploy, 'req auth-agent-req@openssh.com');
      // Not even for the shell that starts the gate.
      expect(await gate.target.says('sh', '-c', 'find /tmp -name "agent.*" -user nix-ferry')).toBe('');
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]));
    }
  }, 60_000);

  test('the preview key: everything but a description', async () => {
    const { preview } = gate.keys;
    for (const verb of [['receive'], ['probe'], ['run', 'x'], ['watch', 'x', '0'], ['confirm', 'x', 'a'], ['settle']]) {
      const [name = '', ...words] = verb;
      const { code } = await gate.ssh(preview, [gate.user, gateCommand(name, ...words)], '.\n');
      expect([verb, code]).toEqual([verb, 77]);
      await expectLogged(preview, 'this key may only describe');
    }
    const { code, stdout } = await gate.ssh(preview, [gate.user, gateCommand('describe')]);
    expect(code).toBe(0);
    expect(stdout).toContain('nix-ferry-description=1');
  }, 60_000);

  test('the user itself, if it had a shell: sudo with any other words', async () => {
    const { machine } = gate.target;
    const rules = await gate.target.says('cat', '/etc/sudoers.d/nix-ferry');
    const [, shell = '', script = ''] = /NOPASSWD: (\S+) (\S+)$/.exec(rules) ?? [];
    const sudo = (...words: string[]) =>
      machine.run(['sudo', '-n', ...words], { user: 'nix-ferry', allow: [0, 1, 77], input: '' });
    for (const words of [
      ['id'],
      [shell],
      [shell, '-c', 'id'],
      [shell, script, 'x'],
      [shell, '-x', script],
      ['-E', shell, script],
    ]) {
      expect([words, (await sudo(...words)).code]).toEqual([words, 1]);
    }
    expect((await sudo(shell, script)).code).toBe(77);
  });
});

describe("root's half refuses", () => {
  test('a system that nobody ordered', async () => {
    const { code, stderr } = await gate.run(null, { toplevel: gate.toplevels.two });
    expect(code).toBe(77);
    expect(stderr).toContain('the request has no signed order');
    await expectLogged(gate.keys.deploy, 'the request has no signed order');
  });

  test('an order that another key has signed', async () => {
    const { code, stderr } = await gate.run(await gate.order('two', {}, 'other'));
    expect(code).toBe(77);
    expect(stderr).toContain('not signed by a key of this machine (it is signed by stranger-1)');
    await expectLogged(gate.keys.deploy, 'not signed by a key of this machine');
  });

  test('an order with the name of the own key and the signature of another', async () => {
    const order = await gate.order('two', {}, 'other');
    const renamed = { ...order, signature: order.signature.replace('stranger-1', 'fleet-1') };
    expect((await gate.run(renamed)).code).toBe(77);
    await expectLogged(gate.keys.deploy, 'not signed by a key of this machine');
  });

  test('a signed order with other content', async () => {
    const order = await gate.order('two');
    const nar = Buffer.from(order.nar, 'base64').toString('latin1').replace(gate.toplevels.two, gate.toplevels.three);
    expect((await gate.run({ ...order, nar: Buffer.from(nar, 'latin1').toString('base64') })).code).toBe(77);
    await expectLogged(gate.keys.deploy, 'not signed by a key of this machine');
  });

  test('a system of another host', async () => {
    const { code, stderr } = await gate.run(await gate.order('one', { host: 'db' }));
    expect(code).toBe(77);
    expect(stderr).toContain('the order is for db, and this machine is web');
    await expectLogged(gate.keys.deploy, 'the order is for db');
  });

  test('other checks than those of the order, or none', async () => {
    const check = { description: 'a check', cmd: ['true'], period: 1, timeout: 5 };
    const order = await gate.order('one', { healthChecks: { cmd: [check], http: [] } });
    for (const command of ['touch /tmp/pwned', null]) {
      const health = command === null ? {} : { 'health-1.command': command, 'health-1.description': 'a check' };
      expect((await gate.run(order, health)).stderr).toContain('the checks are not those of the order');
    }
    await expectLogged(gate.keys.deploy, 'the checks are not those of the order');
  });

  const injections = [
    ['spaces', 'x y'],
    ['a quote', "x'; touch /tmp/pwned; '"],
    ['a double quote', 'x"; touch /tmp/pwned; "'],
    ['a newline', 'x\ntouch /tmp/pwned'],
    ['a substitution', '$(touch /tmp/pwned)'],
    ['backticks', '`touch /tmp/pwned`'],
    ['a leading dash', '--option'],
    ['an option of Nix', '-x --option trusted-users nix-ferry'],
    ['1 MB', 'x'.repeat(1_000_000)],
    ['nothing', ''],
  ] as const;
  const values = [
    'mode',
    'nonce',
    'confirm',
    'failed-units',
    'lock-wait',
    'activate-limit',
    'health-limit',
    'reboot',
    'run',
  ];

  test.each(injections)(
    'a value that is or contains %s',
    async (_, text) => {
      const order = await gate.order('one');
      for (const name of values) {
        const { code, stderr } = await gate.run(order, { [name]: text });
        expect([name, code]).toEqual([name, 77]);
        expect(stderr).toContain(`the value of ${name} is damaged`);
        await expectLogged(gate.keys.deploy, `the value of ${name} is damaged`);
      }
    },
    120_000,
  );

  test.each(injections)(
    'an entry of an order that is or contains %s',
    async (_, text) => {
      const order = await gate.order('one');
      for (const name of ['path', 'hash', 'signature', 'nar'] as const) {
        const encoded = name === 'nar' ? Buffer.from(text).toString('base64') : text;
        const { code } = await gate.run({ ...order, [name]: encoded });
        expect([name, code]).toEqual([name, 77]);
      }
      await expectLogged(gate.keys.deploy, 'order');
    },
    120_000,
  );

  test.each([
    ['a name that leads elsewhere', '@ ../../tmp/pwned\nAAAA\n.\n'],
    ['a name that is a command', '@ mode;touch\nAAAA\n.\n'],
    ['a name twice', '@ mode\nAAAA\n@ mode\nAAAA\n.\n'],
    ['no base64', '@ mode\n$(touch /tmp/pwned)\n.\n'],
    ['a value without a name', 'AAAA\n.\n'],
    ['no end', '@ mode\nAAAA\n'],
    ['40 MB', `@ mode\n${`${'A'.repeat(76)}\n`.repeat(550_000)}.\n`],
  ])(
    'a request with %s',
    async (_, input) => {
      const { code, stderr } = await restricted([gate.user, gateCommand('run', 'x')], input);
      expect(code).toBe(77);
      expect(stderr).toContain('the values of the request are damaged, or too large');
      await expectLogged(gate.keys.deploy, 'the values of the request are damaged');
    },
    60_000,
  );

  test('1 MB as a word: ssh itself gives up', async () => {
    const { code } = await gate
      .ssh(gate.keys.deploy, [gate.user, gateCommand('finish', 'x'.repeat(120_000))])
      .catch(() => ({ code: -1 }));
    expect(code).not.toBe(0);
  });

  test('a reason with a command in it is only text', async () => {
    const { command, input } = gateRequest(
      'reject',
      ['x', "$(touch /tmp/pwned)`touch /tmp/pwned`'; touch /tmp/pwned"],
      null,
    );
    const { stdout } = await restricted([gate.user, command], input);
    expect(stdout).toContain('rejected=no');
  });
});

describe('Nix and the activation refuse', () => {
  /** The status of an activation that was refused, and what the journal has of it. */
  async function expectRefused(run: Awaited<ReturnType<GateFixture['run']>>, why: RegExp): Promise<void> {
    expect(run.values.get('result')).toBe('refused');
    expect(run.values.get('why')).toMatch(why);
    const journal = (await gate.journal({ unit: `nix-ferry-${run.id}.service` })).join('\n');
    expect(journal).toContain(`by a test (key ${await gate.fingerprint(gate.keys.deploy)})`);
    expect(journal).toMatch(why);
    await gate.ssh(gate.keys.deploy, [gate.user, gateCommand('finish', run.id)], '.\n');
  }

  const copy = (path: string): Promise<string> =>
    gate.nix
      .run('nix', ['copy', '--to', gate.store.url, path], { env: gate.store.env })
      .then(() => 'copied')
      .catch((error: { stderr: string }) => error.stderr);

  /** The gate logs that once the connection has ended. */
  const expectNotAccepted = () =>
    until(() => expectLogged(gate.keys.deploy, 'Nix did not accept /nix/store/'), 'the line of the journal');

  test('to receive a path that nobody has signed', async () => {
    expect(await copy(gate.toplevels.unsigned)).toMatch(/lacks a (valid )?signature/);
    await expectNotAccepted();
  });

  test('to receive a path that another key has signed', async () => {
    await gate.sign(['foreign'], 'other');
    expect(await copy(gate.toplevels.foreign)).toMatch(/lacks a (valid )?signature/);
    await expectNotAccepted();
  });

  test('to receive a path from a client that asks not to check', async () => {
    const { nix, store, toplevels } = gate;
    const said = nix.run('nix', ['copy', '--no-check-sigs', '--to', store.url, toplevels.unsigned], { env: store.env });
    await expect(said).rejects.toThrow(/signature/);
  });

  test('to activate a path that was never copied', async () => {
    await expectRefused(await gate.run(await gate.order('absent')), /is not in the store/);
  }, 60_000);

  test('to activate a path that is there and that nobody has signed, in each mode', async () => {
    await gate.give('unsigned');
    for (const mode of ['switch', 'test', 'boot', 'dry-activate']) {
      const run = await gate.run(await gate.order('unsigned'), { mode });
      await expectRefused(run, /no key of this machine has signed \/nix\/store\//);
    }
  }, 120_000);

  test('to activate a path that is there and that another key has signed', async () => {
    await gate.sign(['foreign'], 'other');
    await gate.give('foreign');
    await expectRefused(await gate.run(await gate.order('foreign')), /no key of this machine has signed/);
  }, 60_000);

  test('to activate a path that was built there, also if the machine signs what it builds', async () => {
    const { target } = gate;
    const secret = gate.signing.other.secret;
    await target.machine.run(['sh', '-c', 'cat > /etc/nix/machine-key && chmod 600 /etc/nix/machine-key'], {
      input: secret,
    });
    await target.says('sh', '-c', 'echo "secret-key-files = /etc/nix/machine-key" >> /etc/nix/nix.conf');
    await target.says('systemctl', 'restart', 'nix-daemon.service');
    const script =
      'mkdir -p $out/bin; echo "touch /tmp/pwned" > $out/bin/switch-to-configuration; chmod 755 $out/bin/*';
    const expression = `derivation {
      name = "nixos-system-web"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
      args = [ "-c" ${JSON.stringify(script).replaceAll('$', '\\$')} ];
    }`;
    const args = ['build', '--no-link', '--print-out-paths', '--store', gate.store.url, '--expr', expression];
    const { stdout } = await gate.nix.run('nix', args, { env: gate.store.env });
    const toplevel = stdout.trim();
    expect(
      await target.says('nix', '--extra-experimental-features', 'nix-command', 'path-info', '--sigs', toplevel),
    ).toContain('stranger-1:');
    await expectRefused(await gate.run(await gate.order({ toplevel })), /no key of this machine has signed/);
  }, 120_000);

  test('to activate a system older than the last one', async () => {
    const older = { commit: 'c'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: committed.older };
    const why = /which is newer than c{40}/;
    await expectRefused(await gate.run(await gate.order('one', { origin: older })), why);
    // Whatever the order says of its repository, and what the client wishes.
    const elsewhere = { ...older, repository: 'acme/other', branch: null };
    await expectRefused(await gate.run(await gate.order('one', { origin: elsewhere }), { 'allow-older': 'true' }), why);
    const unknown = { ...older, committed: null };
    await expectRefused(await gate.run(await gate.order('one', { origin: unknown })), /not known when/);
    await expectRefused(await gate.run(await gate.order('one', { origin: older }), { mode: 'dry-activate' }), why);
  }, 120_000);
});
