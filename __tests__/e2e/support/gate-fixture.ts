import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gateCommand, gateRequest } from '../../../src/deploy/gate.ts';
import type { DeployConfig, Deployment } from '../../../src/deploy/index.ts';
import { makeOrder, type SignedOrder } from '../../../src/deploy/order.ts';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import { replyReader } from '../../../src/deploy/reply.ts';
import { SecretContent } from '../../../src/deploy/secrets/content.ts';
import { type ExecResult, exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { signClosures } from '../../../src/nix/sign.ts';
import {
  address,
  configuration,
  context,
  deployment,
  deployOne,
  emulating,
  localNix,
  recorder,
} from './deploy-fixture.ts';
import { embeddedFleet } from './embedded.ts';
import { signingKey } from './keys.ts';
import {
  generateKey,
  type Key,
  startAarch64Target,
  startSystemdTarget,
  type Target,
  type TargetOptions,
} from './target.ts';

const names = ['one', 'two', 'three', 'foreign', 'unsigned', 'absent', 'another-gate', 'locked-out'] as const;
export type Name = (typeof names)[number];

/** What the module says that NixOS should install. */
export interface Installed {
  user: { shell: string };
  authorizedKeys: string[];
  sudoers: string;
  trustedPublicKeys: string[];
  /** Lines of sshd_config. */
  sshd: string;
}

/** Builds systems of a machine with a gate. @param options those of services.nix-ferry.gate. @param built all if left out */
export async function buildGate(
  nix: Nix,
  system: Target['system'],
  options: Record<string, unknown>,
  ...built: readonly Name[]
): Promise<{ toplevels: Record<Name, string>; installed: Installed }> {
  const file = join(mkdtempSync(join(tmpdir(), 'gate-')), 'options.json');
  writeFileSync(file, JSON.stringify(options));
  const args = [
    ...['--arg', 'nixpkgs', join(await embeddedFleet(), 'nixpkgs'), '--argstr', 'system', system],
    ...['--arg', 'options', file, join(import.meta.dirname, 'fixtures/gate-systems.nix')],
  ];
  const { stdout } = await nix.run('nix-instantiate', ['--eval', '--strict', '--json', ...args]);
  const wanted = built.length === 0 ? ['-A', 'toplevels'] : built.flatMap(name => ['-A', `toplevels.${name}`]);
  const build = (): Promise<unknown> => nix.run('nix-build', ['--no-out-link', ...wanted, ...args]);
  await (system === 'aarch64-linux' ? emulating(build) : build());
  return JSON.parse(stdout) as Awaited<ReturnType<typeof buildGate>>;
}

/**
 * Does what NixOS does for the module: the miniature makes no accounts and has no sudo and sshd of its own. What is installed
 * is what the module says; its files must be in the target's store.
 */
export async function installGate(
  target: Target,
  { user, authorizedKeys, sudoers, trustedPublicKeys, sshd }: Installed,
): Promise<void> {
  const append = (file: string, text: string): Promise<unknown> =>
    // The file may be a link into the store.
    target.machine.run(['sh', '-c', 'cat "$0" - >"$0.new" 2>/dev/null; mv "$0.new" "$0"', file], {
      input: `${text}\n`,
    });
  await target.says('groupadd', '--force', 'nix-users');
  await target.says(
    ...['useradd', '--system', '--no-create-home', '--shell', user.shell, '--groups', 'nix-users', 'nix-ferry'],
  );
  await append('/etc/ssh/gate_keys', authorizedKeys.join('\n'));
  await append('/etc/sudoers.d/nix-ferry', sudoers);
  await append(
    '/etc/ssh/sshd_config.d/gate.conf',
    `Match User nix-ferry\n AuthorizedKeysFile /etc/ssh/gate_keys\nMatch all\n${sshd}`,
  );
  await append('/etc/nix/nix.conf', `extra-trusted-public-keys = ${trustedPublicKeys.join(' ')}`);
  const restart =
    target.system === 'x86_64-linux'
      ? 'systemctl reload ssh.service; systemctl restart nix-daemon.service'
      : 'kill -HUP $(cat /run/sshd.pid); pkill -x nix-daemon; sleep 1; nix-daemon >/dev/null 2>&1 </dev/null &';
  await target.says('sh', '-c', restart);
}

/** The commits of the tests, as times. */
export const committed = { older: 1_000, first: 2_000, newer: 3_000 };

/** A target whose user `nix-ferry` has a gate, and which runs the system `one`. */
export class GateFixture {
  readonly nix: Nix;
  readonly target: Target;
  readonly keys: { admin: Key; deploy: Key; preview: Key };
  readonly signing = { own: signingKey('fleet-1'), other: signingKey('stranger-1') };
  toplevels = {} as Record<Name, string>;
  #runs = 1;

  private constructor(nix: Nix, target: Target, keys: GateFixture['keys']) {
    this.nix = nix;
    this.target = target;
    this.keys = keys;
  }

  /** @param version of the Nix that deploys. @param more the target's options */
  static async start(
    kind: 'systemd' | 'aarch64' = 'systemd',
    version = '2.34',
    more: Partial<TargetOptions> = {},
  ): Promise<GateFixture> {
    const [admin, deploy, preview] = await Promise.all(['admin', 'deploy', 'preview'].map(generateKey));
    if (admin === undefined || deploy === undefined || preview === undefined) throw new Error('no keys');
    const start = kind === 'systemd' ? startSystemdTarget : startAarch64Target;
    const [nix, target] = await Promise.all([localNix(version), start({ name: 'web', deployKey: admin, ...more })]);
    const fixture = new GateFixture(nix, target, { admin, deploy, preview });
    const options = {
      deployKeys: [deploy.public],
      previewKeys: [preview.public],
      signingKeys: [fixture.signing.own.public],
    };
    const { toplevels, installed } = await buildGate(nix, target.system, options);
    fixture.toplevels = toplevels;
    await fixture.sign(['one', 'two', 'three', 'another-gate', 'locked-out'], 'own');
    const outcome = await fixture.deployAsRoot('one');
    if (outcome.outcome !== 'deployed') throw new Error(outcome.message);
    await installGate(target, installed);
    return fixture;
  }

  stop(): Promise<void> {
    return this.target.stop();
  }

  /** Signs the closures of systems in the store of this test file. */
  async sign(systems: readonly Name[], key: 'own' | 'other'): Promise<void> {
    const toplevels = systems.map(name => this.toplevels[name]);
    await signClosures(toplevels, this.signing[key].secret, this.nix, context(recorder()));
  }

  /** As a run of the repository's first commit would deploy it. */
  deployment(name: Name, more: Partial<Deployment> = {}): Deployment {
    const { target, toplevels } = this;
    const origin = { commit: 'a'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: committed.first };
    return deployment(target, toplevels[name], { origin, ...more });
  }

  deployAsRoot(name: Name, more: Partial<Deployment> = {}, signingKey: string | null = null): Promise<Outcome> {
    const given = { confirmTimeout: 0, signingKey };
    const config = configuration('switch', this.keys.admin.private, this.target.knownHosts, given);
    return deployOne(this.nix, config, this.deployment(name, more));
  }

  /** Deploys through the gate, with the whole deploy stage. */
  deploy(
    name: Name,
    more: Partial<Deployment> = {},
    config: Partial<DeployConfig> & { mode?: Mode; key?: Key; given?: ReturnType<typeof context> } = {},
  ): Promise<Outcome> {
    const { mode = 'switch', key = this.keys.deploy, given, ...rest } = config;
    const settings = { signingKey: this.signing.own.secret, ...rest };
    return deployOne(
      this.nix,
      configuration(mode, key.private, this.target.knownHosts, settings),
      this.deployment(name, { target: address(this.target, { user: 'nix-ferry' }), ...more }),
      given ?? context(recorder()),
    );
  }

  /** ssh's options for a key of the gate. */
  login(key: Key): string[] {
    const directory = mkdtempSync(join(tmpdir(), 'login-'));
    writeFileSync(join(directory, 'key'), key.private, { mode: 0o600 });
    writeFileSync(join(directory, 'known_hosts'), `${this.target.knownHosts}\n`);
    return [
      ...['-F', 'none', '-i', join(directory, 'key'), '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
      ...['-o', `UserKnownHostsFile=${join(directory, 'known_hosts')}`],
    ];
  }

  /** What ssh itself does with a key of the gate. */
  ssh(key: Key, args: readonly string[], input = ''): Promise<ExecResult> {
    const allow = [...Array(256).keys()];
    return exec('ssh', [...this.login(key), ...args], { input, allow, timeout: 60_000 });
  }

  /** The user whose keys speak to the gate. */
  get user(): string {
    return `nix-ferry@${this.target.address}`;
  }

  /** The order for a system, signed by one of the keys. @param contents of its secrets */
  async order(
    name: Name | { toplevel: string },
    more: Partial<Deployment> = {},
    key: 'own' | 'other' = 'own',
    contents: readonly string[] = [],
  ) {
    const wanted = this.deployment(typeof name === 'string' ? name : 'one', more);
    const toplevel = typeof name === 'string' ? this.toplevels[name] : name.toplevel;
    const secrets = contents.flatMap((text, index) => {
      const secret = wanted.secrets[index];
      return secret === undefined ? [] : [{ secret, content: new SecretContent(Buffer.from(text)), digest: null }];
    });
    return makeOrder({ ...wanted, toplevel }, secrets, this.signing[key].secret, this.nix, context(recorder()));
  }

  /**
   * Asks the gate for an activation, as a thief of the key would: with any values.
   *
   * @param values instead of the usual ones, or besides them; null: left out.
   */
  async run(
    order: SignedOrder | null,
    values: Record<string, string | null> = {},
    id = `test-${this.#runs++}`,
  ): Promise<{ id: string; code: number; stderr: string; values: Map<string, string> }> {
    const usual = { mode: 'switch', who: 'a test', nonce: 'ab'.repeat(16), confirm: '0', 'lock-wait': '10' };
    const spec = Object.entries({ ...usual, ...values }).flatMap(([key, text]) =>
      text === null ? [] : [`${key}=${text}`],
    );
    const { command, input } = gateRequest('run', [id, ...spec], order);
    const { reply, read } = replyReader();
    const { code, stdout, stderr } = await this.ssh(this.keys.deploy, [this.user, command], input);
    for (const line of stdout.split('\n')) read(line);
    return { id, code, stderr, values: reply.values };
  }

  /** Puts a system into the target's store as root does, without signatures. */
  async give(name: Name): Promise<void> {
    await this.nix.run(
      'nix',
      ['copy', '--no-check-sigs', '--to', `ssh-ng://root@${this.target.address}`, this.toplevels[name]],
      {
        env: { ...this.nix.environment(), NIX_SSHOPTS: this.login(this.keys.admin).join(' ') },
      },
    );
  }

  /** A store of Nix's that is behind the gate. */
  get store(): { url: string; env: Record<string, string | undefined> } {
    const program = encodeURIComponent(gateCommand('receive'));
    return {
      url: `ssh-ng://${this.user}?remote-program=${program}`,
      env: { ...this.nix.environment(), NIX_SSHOPTS: this.login(this.keys.deploy).join(' ') },
    };
  }

  /** What the target's journal says of an identifier, or of a unit. */
  async journal(of: { identifier: string } | { unit: string }): Promise<string[]> {
    await this.target.says('journalctl', '--sync');
    const words = 'unit' in of ? ['-u', of.unit] : ['-t', of.identifier];
    return (await this.target.says('journalctl', '--no-pager', '-o', 'cat', ...words)).split('\n').filter(Boolean);
  }

  /** The fingerprint of a key, as the journal has it. */
  async fingerprint(key: Key): Promise<string> {
    const { stdout } = await exec('ssh-keygen', ['-lf', '-'], { input: `${key.public}\n` });
    return stdout.split(' ')[1] ?? '';
  }

  /** All that a deployment could change. */
  async state(): Promise<unknown> {
    const { target } = this;
    return {
      current: await target.currentSystem(),
      profile: await target.profile(),
      generations: [...(await target.generations())],
      records: await target.says('sh', '-c', 'cd /var/lib/nix-ferry && ls && cat deployed.json history'),
      runs: await target.says('sh', '-c', 'ls -d /run/nix-ferry/*/ /run/nix-ferry-gate.* 2>/dev/null; :'),
    };
  }
}
