import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Archive, ArchiveConfig } from '../../../src/archive/index.ts';
import type { ExecResult } from '../../../src/exec.ts';
import type { ArchiveJob } from './drivers/archive.ts';
import { repository } from './machine.ts';
import { Runner, work } from './runner.ts';
import type { Target } from './target.ts';

const nixConfig =
  'experimental-features = nix-command flakes\nsandbox = false\nsandbox-paths =\nextra-platforms = aarch64-linux\n';

/** A runner that builds and archives the embedded fleet; archives are copied from it to targets as files. */
export class ArchiveFixture {
  readonly runner: Runner;
  signingKey = { secret: '', public: '' };
  /** The address of the run that made the archives. */
  readonly address = 'https://github.com/octocat/fleet/actions/runs/7';
  readonly #archives = new Map<string, Archive>();

  private constructor(runner: Runner) {
    this.runner = runner;
  }

  /**
   * Makes archives of server and router: `before` and `after` a change of the greeting, signed with one key, `after` with the
   * configuration; `unsigned`; and `untrusted`, signed with a key that no machine trusts.
   */
  static async start(): Promise<ArchiveFixture> {
    const fixture = new ArchiveFixture(await Runner.start({ nix: '2.26', emulates: true }));
    await fixture.inside(
      `cp -R "$0/." ${work.workspace} && cd ${work.workspace} && chmod -R u+w . && sh ./fetch-bootstrap.sh nixpkgs/bootstrap`,
      join(repository, 'examples/embedded'),
    );
    fixture.signingKey = await fixture.newKey('fleet-1');
    await fixture.#archive('before', fixture.signingKey.secret);
    await fixture.inside(`cd ${work.workspace} && sed -i 's/Welcome to/Hello at/' modules/greeting.nix`);
    await fixture.#archive('after', fixture.signingKey.secret);
    await fixture.#archive('unsigned', null);
    await fixture.#archive('untrusted', (await fixture.newKey('fleet-1')).secret);
    return fixture;
  }

  async stop(): Promise<void> {
    await this.runner.stop();
  }

  /** The line of a target's nix.conf that trusts the key. */
  get trust(): string {
    return `trusted-public-keys = ${this.signingKey.public}\n`;
  }

  #run(argv: string[], input = '', env: Record<string, string> = {}): Promise<ExecResult> {
    const environment = { PATH: this.runner.path, NIX_CONFIG: nixConfig, ...env };
    return this.runner.machine.run(argv, { user: 'runner', env: environment, input });
  }

  /** Runs a script as the runner's user. */
  inside(script: string, ...args: string[]): Promise<ExecResult> {
    return this.#run(['sh', '-euc', script, ...args]);
  }

  /** A new key in Nix's form. */
  async newKey(name: string): Promise<{ secret: string; public: string }> {
    const secret = (await this.inside('nix key generate-secret --key-name "$0"', name)).stdout.trim();
    const converted = await this.#run(['nix', 'key', 'convert-secret-to-public'], secret);
    return { secret, public: converted.stdout.trim() };
  }

  async #archive(name: string, signingKey: string | null): Promise<void> {
    const systems = { server: 'x86_64-linux', router: 'aarch64-linux' };
    const built = await this.inside(
      `cd ${work.workspace} && nix build --no-link --print-out-paths "$@"`,
      'sh',
      ...Object.keys(systems).map(host => `path:.#nixosConfigurations.${host}.config.system.build.toplevel`),
    );
    const toplevels = built.stdout.trim().split('\n');
    const hosts = Object.entries(systems).map(([host, system], index) => {
      return { name: host, system, toplevel: toplevels[index] as string };
    });
    await this.archive(name, hosts, { signingKey, includeSource: name === 'after' });
  }

  /** Archives `hosts`; `archiveOf` then finds each as `HOST NAME`. */
  async archive(
    name: string,
    hosts: ArchiveJob['hosts'],
    config: Partial<ArchiveConfig>,
    env: Record<string, string> = {},
  ): Promise<void> {
    const job: ArchiveJob = {
      hosts,
      config: {
        archive: 'full',
        directory: `/home/runner/archives/${name}`,
        signingKey: null,
        includeSource: false,
        source: work.workspace,
        provenance: {
          commit: 'c'.repeat(40),
          repository: 'octocat/fleet',
          branch: 'main',
          committed: 2000,
          run: null,
          producer: 'nix-ferry test',
        },
        ...config,
      },
      nixVersion: '2.26.3',
    };
    const driver = join(repository, '__tests__/e2e/support/drivers/archive.ts');
    const { stdout } = await this.#run([work.node24, driver], JSON.stringify(job), env);
    for (const made of (JSON.parse(stdout) as { archives: Archive[] }).archives) {
      this.#archives.set(`${made.host} ${name}`, made);
    }
  }

  /** The archive of this host and name, as `server before`. */
  archiveOf(name: string): Archive {
    const found = this.#archives.get(name);
    if (found === undefined) throw new Error(`there is no archive ${name}`);
    return found;
  }

  /** Copies an archive to /root/NAME on a target, without modes, like a zip that was downloaded with a browser. */
  copyTo(target: Target, name: string, to: string): string {
    const from = this.runner.machine.path(this.archiveOf(name).directory);
    const destination = target.machine.path(`/root/${to}`);
    execFileSync('rm', ['-rf', destination]);
    execFileSync('cp', ['-R', '--no-preserve=mode,ownership', from, destination]);
    // The upload adds this file to an artifact.
    writeFileSync(join(destination, 'run.json'), `${JSON.stringify({ run: this.address })}\n`);
    return `/root/${to}`;
  }
}

export function install(target: Target, directory: string, ...args: string[]): Promise<ExecResult> {
  return target.machine.run(['sh', `${directory}/install`, ...args], { allow: [0, 1, 2, 3, 4, 5, 100] });
}

/** Everything that must stay unchanged when an install is refused. */
export async function stateOf(target: Target): Promise<unknown> {
  return {
    profile: await target.profile(),
    current: await target.currentSystem(),
    generations: [...(await target.generations())],
    record: await target.says('sh', '-c', 'cat /var/lib/nix-ferry/deployed.json 2>/dev/null || :'),
    greeting: await target.says('sh', '-c', 'cat /run/greeting 2>/dev/null || :'),
  };
}

/** Expects a refusal: one line that says why, and no change on the target. */
export async function refused(target: Target, directory: string, why: RegExp, ...args: string[]): Promise<void> {
  const state = await stateOf(target);
  const done = await install(target, directory, ...args);
  expect(done.stderr).toMatch(/^install: refused: [^\n]*\. This machine was not changed\.\n$/);
  expect(done.stderr).toMatch(why);
  expect(done.code).toBe(1);
  expect(await stateOf(target)).toEqual(state);
}

/** Flips a bit of a file on the target: in the byte after `mark`, or in the middle. */
export function flip(target: Target, file: string, mark?: string): void {
  const path = target.machine.path(file);
  const bytes = readFileSync(path);
  const at = mark === undefined ? Math.floor(bytes.length / 2) : bytes.indexOf(mark) + mark.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

/**
 * Puts wrappers of programs first on PATH. The first call that matches `words` kills the whole install by SIGKILL, at once or
 * after the real program has run for `after` seconds.
 */
function installTrap(target: Target, words: string, after: number | null): string {
  const directory = '/root/trap';
  execFileSync('rm', ['-rf', target.machine.path(directory)]);
  mkdirSync(target.machine.path(directory));
  for (const name of ['nix', 'nix-store', 'nix-hash', 'sha256sum', 'sh']) {
    const kill = after === null ? 'kill -KILL 0' : `/usr/bin/${name} "$@" & sleep ${after}; kill -KILL 0`;
    const script = `#!/bin/sh\ncase "${name} $*" in ${words}) ${kill} ;; esac\nexec /usr/bin/${name} "$@"\n`;
    writeFileSync(target.machine.path(`${directory}/${name}`), script, { mode: 0o755 });
  }
  return directory;
}

export async function killed(
  target: Target,
  directory: string,
  words: string,
  after: number | null = null,
): Promise<void> {
  const PATH = `${installTrap(target, words, after)}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const argv = ['setsid', '--wait', '/usr/bin/sh', `${directory}/install`, 'switch'];
  await expect(target.machine.run(argv, { env: { PATH } })).rejects.toThrow(/137|SIGKILL|KILL/);
}
