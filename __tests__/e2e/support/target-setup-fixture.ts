import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployConfig, Deployment } from '../../../src/deploy/index.ts';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import { type ExecResult, exec } from '../../../src/exec.ts';
import { readInputs } from '../../../src/inputs.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { signClosures } from '../../../src/nix/sign.ts';
import { type Preview, preview } from '../../../src/preview/index.ts';
import { setUpTarget, type TargetSetupResult } from '../../../src/target-setup/index.ts';
import { host } from '../../report/run.ts';
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
import { generateKey, type Key, type Target } from './target.ts';

export type Name = 'one' | 'two' | 'three' | 'immutable' | 'module' | 'module-two';

/** A target that knows nothing of gates, and systems for it that one key has signed. */
export class TargetSetupFixture {
  readonly nix: Nix;
  readonly target: Target;
  readonly keys: { admin: Key; deploy: Key; preview: Key };
  readonly signing = signingKey('fleet-1');
  toplevels = {} as Record<Name, string>;

  private constructor(nix: Nix, target: Target, keys: TargetSetupFixture['keys']) {
    this.nix = nix;
    this.target = target;
    this.keys = keys;
  }

  /** @param built all systems if left out. */
  static async start(
    startTarget: (options: { name: string; deployKey: Key }) => Promise<Target>,
    ...built: readonly Name[]
  ): Promise<TargetSetupFixture> {
    const [admin, deploy, previewing] = [
      await generateKey('admin'),
      await generateKey('deploy'),
      await generateKey('preview'),
    ];
    const [nix, target] = await Promise.all([localNix('2.34'), startTarget({ name: 'web', deployKey: admin })]);
    const fixture = new TargetSetupFixture(nix, target, { admin, deploy, preview: previewing });
    await fixture.#build(built);
    await likeNixos(target);
    return fixture;
  }

  async #build(built: readonly Name[]): Promise<void> {
    const { keys, nix, target } = this;
    const file = join(mkdtempSync(join(tmpdir(), 'setup-')), 'options.json');
    const options = {
      deployKeys: [keys.deploy.public],
      previewKeys: [keys.preview.public],
      signingKeys: [this.signing.public],
    };
    writeFileSync(file, JSON.stringify(options));
    const args = [
      ...['--arg', 'nixpkgs', join(await embeddedFleet(), 'nixpkgs'), '--argstr', 'system', target.system],
      ...['--arg', 'options', file, join(import.meta.dirname, 'fixtures/target-setup-systems.nix')],
    ];
    const { stdout } = await nix.run('nix-instantiate', ['--eval', '--strict', '--json', ...args]);
    this.toplevels = JSON.parse(stdout) as Record<Name, string>;
    const wanted = built.flatMap(name => ['-A', name]);
    const build = (): Promise<unknown> => nix.run('nix-build', ['--no-out-link', ...wanted, ...args]);
    await (target.system === 'aarch64-linux' ? emulating(build) : build());
    const toplevels = Object.entries(this.toplevels).filter(([name]) => wanted.length === 0 || wanted.includes(name));
    await signClosures(
      toplevels.map(([, toplevel]) => toplevel),
      this.signing.secret,
      nix,
      context(recorder()),
    );
  }

  stop(): Promise<void> {
    return this.target.stop();
  }

  /** `ferry target-setup`. @param flags by their names; null: left out. */
  setUp(
    flags: Record<string, string | null> = {},
    key: Key = this.keys.admin,
    signal?: AbortSignal,
  ): Promise<TargetSetupResult> {
    const usual = {
      'gate-deploy-keys': this.keys.deploy.public,
      'gate-preview-keys': this.keys.preview.public,
      'gate-signing-keys': this.signing.public,
      targets: JSON.stringify({ web: `root@${this.target.address}` }),
    };
    const given = Object.entries({ ...usual, ...flags }).filter(([, text]) => text !== null) as [string, string][];
    const { targetSetup, plan } = readInputs(Object.fromEntries(given), name => `--${name}`);
    const access = { deployKey: key.private, knownHosts: this.target.knownHosts, ownSsh: false };
    return setUpTarget(
      'web',
      { ...targetSetup, targets: plan.targets, access },
      context(recorder(), undefined, signal),
    );
  }

  /** Deploys with a key of the gate. */
  deploy(
    name: Name,
    more: Partial<Deployment> = {},
    { mode = 'switch', key = this.keys.deploy, ...rest }: Partial<DeployConfig> & { mode?: Mode; key?: Key } = {},
  ): Promise<Outcome> {
    const { target, toplevels } = this;
    const settings = { signingKey: this.signing.secret, ...rest };
    const origin = { commit: 'a'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: 1_000 };
    const wanted = { origin, target: address(target, { user: 'nix-ferry' }), ...more };
    return deployOne(
      this.nix,
      configuration(mode, key.private, target.knownHosts, settings),
      deployment(target, toplevels[name], wanted),
    );
  }

  /** Asks the target with a key of the gate. */
  async preview(name: Name, key: Key = this.keys.preview): Promise<Preview | undefined> {
    const toplevel = this.toplevels[name];
    const closure = await this.nix.closure([toplevel]);
    const wanted = { ...host('web'), target: address(this.target, { user: 'nix-ferry' }) };
    const built = { host: wanted, ok: true as const, toplevel, closure, closureBytes: 0, builtDerivations: 0 };
    const config = configuration('preview', key.private, this.target.knownHosts);
    const [answer] = await preview([built], config, context(recorder()));
    return answer;
  }

  /** What ssh itself does with a key. */
  ssh(key: Key, args: readonly string[], user = 'nix-ferry'): Promise<ExecResult> {
    const directory = mkdtempSync(join(tmpdir(), 'login-'));
    writeFileSync(join(directory, 'key'), key.private, { mode: 0o600 });
    writeFileSync(join(directory, 'known_hosts'), `${this.target.knownHosts}\n`);
    const options = [
      ...['-F', 'none', '-i', join(directory, 'key'), '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
      ...['-o', `UserKnownHostsFile=${join(directory, 'known_hosts')}`],
    ];
    const allow = [...Array(256).keys()];
    return exec('ssh', [...options, `${user}@${this.target.address}`, ...args], { allow, timeout: 60_000 });
  }

  /** Everything that a set-up may change, with the times of files. */
  footprint(): Promise<string> {
    const script = `
      for place in /var/lib/nix-ferry-gate /etc/systemd/system.control /etc/ssh/authorized_keys.d /nix/var/nix/gcroots/nix-ferry-gate; do
        [ ! -e $place ] || find $place ! -type d -printf '%p %i %T@ %l\\n' | sort
      done
      grep nix-ferry /etc/passwd /etc/group /etc/shadow
      ls /run/ferry-gate.socket 2>&1
      systemctl show --property=ActiveState,InvocationID ferry-gate.socket nix-daemon.socket
      systemctl show --property=Environment nix-daemon.service`;
    return this.target.says('sh', '-c', script);
  }
}

/** Makes of the target what NixOS is, as far as a set-up sees it. */
export async function likeNixos(target: Target): Promise<void> {
  const keys = 'Match User nix-ferry\n AuthorizedKeysFile %h/.ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n';
  await target.machine.run(['sh', '-c', 'cat >/etc/ssh/sshd_config.d/nixos.conf'], { input: keys });
  // Debian lets only a group speak to the daemon.
  await target.says('chmod', '755', '/nix/var/nix/daemon-socket');
  await target.says('sh', '-c', 'mkdir -p /etc/tmpfiles.d && : >/etc/tmpfiles.d/nix-daemon.conf');
  await target.says(
    'sh',
    '-c',
    target.system === 'x86_64-linux' ? 'systemctl reload ssh.service' : 'kill -HUP $(cat /run/sshd.pid)',
  );
}
