import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import { Machine, root } from './machine.ts';

/** An SSH key pair, as the files that ssh-keygen writes. */
export interface Key {
  private: string;
  public: string;
}

/** A new ed25519 key. */
export async function generateKey(comment: string): Promise<Key> {
  const file = join(mkdtempSync(join(tmpdir(), 'key-')), 'key');
  await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return { private: readFileSync(file, 'utf8'), public: readFileSync(`${file}.pub`, 'utf8').trim() };
}

export interface TargetOptions {
  /** Host name. */
  name: string;
  /** Logs in as root and as `deploy`, who may use sudo. */
  deployKey: Key;
  /** The target's host key; by default a new one. */
  hostKey?: Key;
  /** IPv4; by default a free one. */
  address?: string;
  /** Additional lines of nix.conf. */
  nixConf?: string;
  /** Its Nix, instead of that of its distribution; only with systemd. */
  nix?: '2.8' | '2.34';
}

/** A machine to deploy to: sshd on port 22 and nix-daemon; root and `deploy` log in with the deploy key. */
export class Target {
  readonly machine: Machine;
  readonly system: 'x86_64-linux' | 'aarch64-linux';
  readonly hostKey: Key;

  constructor(machine: Machine, system: Target['system'], hostKey: Key) {
    this.machine = machine;
    this.system = system;
    this.hostKey = hostKey;
  }

  get address(): string {
    return this.machine.address;
  }

  /** Its line of a known_hosts file. */
  get knownHosts(): string {
    return `${this.address} ${this.hostKey.public}`;
  }

  /** Runs a command as root and returns its trimmed output. @throws CommandError */
  async says(...argv: string[]): Promise<string> {
    return (await this.machine.run(argv)).stdout.trim();
  }

  /** The store path of the system profile; null if there is none. */
  profile(): Promise<string | null> {
    return this.#resolve('/nix/var/nix/profiles/system');
  }

  /** The store path of the running system; null before the first activation. */
  currentSystem(): Promise<string | null> {
    return this.#resolve('/run/current-system');
  }

  /** The generations of the system profile: number → store path. */
  async generations(): Promise<Map<number, string>> {
    const script =
      'cd /nix/var/nix/profiles 2>/dev/null || exit 0; for g in system-*-link; do [ -L "$g" ] && echo "$g $(readlink "$g")"; done; :';
    const lines = (await this.says('sh', '-c', script)).split('\n').filter(line => line !== '');
    return new Map(lines.map(line => [Number(/^system-(\d+)-link/.exec(line)?.[1]), line.split(' ')[1] ?? '']));
  }

  /** systemd's properties of a unit, for example `ActiveState`. */
  async unit(name: string): Promise<Record<string, string>> {
    const text = await this.says('systemctl', 'show', name);
    return Object.fromEntries(
      text.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  async #resolve(link: string): Promise<string | null> {
    const { code, stdout } = await this.machine.run(['readlink', '-e', link], { allow: [0, 1] });
    return code === 0 ? stdout.trim() : null;
  }

  /** The id of the current boot. */
  bootId(): Promise<string> {
    return this.says('cat', '/proc/sys/kernel/random/boot_id');
  }

  /** Ends everything on it at once. */
  powerCut(): Promise<void> {
    return this.machine.powerCut();
  }

  /**
   * Starts it again from its disk, with the entry that its boot loader chooses. Resolves when systemd has booted and sshd
   * listens.
   *
   * @throws if there is nothing to boot, or after a minute.
   */
  async powerOn(): Promise<void> {
    await this.machine.powerOn();
    await booted(this.machine);
  }

  stop(): Promise<void> {
    return this.machine.stop();
  }
}

async function booted(machine: Machine): Promise<void> {
  // It is `degraded` (exit 1) if a unit of the distribution does not work in a container.
  await until(() => machine.run(['systemctl', 'is-system-running', '--wait'], { allow: [0, 1] }), machine.name);
  await until(() => machine.run(['systemctl', 'is-active', 'ssh.service']), machine.name);
  await until(() => machine.run(['test', '-S', '/run/user/0/bus', '-a', '-S', '/run/user/1000/bus']), machine.name);
}

/** Starts an x86_64 target with systemd as PID 1, and waits until sshd listens (about 3 s). */
export async function startSystemdTarget(options: TargetOptions): Promise<Target> {
  const hostKey = options.hostKey ?? (await generateKey(`host ${options.name}`));
  const machine = await Machine.start({
    name: options.name,
    root: 'systemd',
    init: ['/lib/systemd/systemd'],
    environment: { container: 'ferry' },
    cgroup: true,
    disk: true,
    files: targetFiles(options, hostKey),
    ...(options.nix === undefined ? {} : { readOnly: otherNix(options.nix) }),
    ...(options.address === undefined ? {} : { address: options.address }),
  });
  await booted(machine);
  return new Target(machine, 'x86_64-linux', hostKey);
}

/** Puts another Nix in place of the distribution's, whose commands are links to one program. */
function otherNix(version: string): Record<string, string> {
  const from = root(`nix-${version}`);
  return { [from]: `/opt/nix/${version}`, [join(from, 'bin/nix')]: '/usr/bin/nix' };
}

/** Starts a target whose programs are all aarch64, run by qemu: sshd and nix-daemon, no systemd. */
export async function startAarch64Target(options: TargetOptions): Promise<Target> {
  const hostKey = options.hostKey ?? (await generateKey(`host ${options.name}`));
  const machine = await Machine.start({
    name: options.name,
    root: 'aarch64',
    init: ['sh', '-c', 'mkdir -p /run/sshd; nix-daemon & /usr/sbin/sshd -D -e & while :; do wait; sleep 1; done'],
    binfmt: 'aarch64',
    files: targetFiles(options, hostKey),
    ...(options.address === undefined ? {} : { address: options.address }),
  });
  await until(
    () =>
      exec('ssh-keyscan', ['-T', '5', '-t', 'ed25519', machine.address]).then(scan => {
        if (!scan.stdout.includes('ssh-ed25519')) throw new Error('sshd does not answer yet');
      }),
    options.name,
  );
  return new Target(machine, 'aarch64-linux', hostKey);
}

function targetFiles(options: TargetOptions, hostKey: Key): Record<string, { content: string; mode?: number }> {
  const authorized = { content: `${options.deployKey.public}\n`, mode: 0o644 };
  return {
    // switch-to-configuration recognizes NixOS by this file.
    '/etc/NIXOS': { content: '' },
    // As on NixOS, users have a bus. Their managers keep running, so that none ends while a system is switched.
    '/etc/systemd/user/dbus.socket': { content: '[Socket]\nListenStream=%t/bus\n' },
    '/etc/systemd/user/dbus.service': {
      content: [
        '[Unit]',
        'Requires=dbus.socket',
        '[Service]',
        'ExecStart=/usr/bin/dbus-daemon --session --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only',
        '',
      ].join('\n'),
    },
    '/etc/systemd/user/sockets.target.d/dbus.conf': { content: '[Unit]\nWants=dbus.socket\n' },
    '/var/lib/systemd/linger/root': { content: '' },
    '/var/lib/systemd/linger/deploy': { content: '' },
    '/etc/ssh/ssh_host_ed25519_key': { content: hostKey.private, mode: 0o600 },
    '/etc/ssh/ssh_host_ed25519_key.pub': { content: `${hostKey.public}\n` },
    '/etc/ssh/authorized_keys': authorized,
    '/etc/ssh/sshd_config.d/testbed.conf': {
      content: [
        'HostKey /etc/ssh/ssh_host_ed25519_key',
        'AuthorizedKeysFile /etc/ssh/authorized_keys',
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'MaxStartups 100',
        '',
      ].join('\n'),
    },
    '/etc/nix/nix.conf': {
      content: [
        'experimental-features = nix-command flakes',
        'trusted-users = root deploy',
        'build-users-group =',
        'sandbox = false',
        'filter-syscalls = false',
        'substituters =',
        options.nixConf ?? '',
        '',
      ].join('\n'),
    },
  };
}

/** Tries until it succeeds. @throws the last error after two minutes, more than a loaded machine needs. */
export async function until<T>(attempt: () => Promise<T>, what: string): Promise<T> {
  const end = Date.now() + 120_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: not within two minutes`, { cause: error });
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}
