import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Built } from '../../../src/build/built.ts';
import { exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { type Preview, preview } from '../../../src/preview/index.ts';
import { host } from '../../report/run.ts';
import { address, configuration, context, localNix, recorder } from './deploy-fixture.ts';
import { embeddedFleet } from './embedded.ts';
import { generateKey, type Key, startSystemdTarget, type Target } from './target.ts';

/** Users who may log in on the target and cannot use sudo. Nix's daemon answers the first one, as it does every user on NixOS. */
export const viewer = 'viewer';
export const stranger = 'stranger';

/** A target that runs systems of the miniature, which are built in the store of this test file. */
export class PreviewFixture {
  readonly nix: Nix;
  readonly target: Target;
  readonly key: Key;

  private constructor(nix: Nix, target: Target, key: Key) {
    this.nix = nix;
    this.target = target;
    this.key = key;
  }

  static async start(name: string): Promise<PreviewFixture> {
    const key = await generateKey('deploy');
    const [nix, target] = await Promise.all([localNix('2.34'), startSystemdTarget({ name, deployKey: key })]);
    await target.says('useradd', '--create-home', '--groups', 'nix-users', viewer);
    await target.says('useradd', '--create-home', stranger);
    // The machine's own mounts would be unmounted.
    await target.says('rm', '-f', '/etc/fstab');
    return new PreviewFixture(nix, target, key);
  }

  stop(): Promise<void> {
    return this.target.stop();
  }

  /** Builds attributes of an expression of fixtures/miniature. `cases` is given to it as a JSON file. @returns name → toplevel */
  async build<Name extends string>(
    expression: string,
    names: readonly Name[],
    cases?: unknown,
  ): Promise<Record<Name, string>> {
    const file = join(await mkdtemp(join(tmpdir(), 'cases-')), 'cases.json');
    if (cases !== undefined) await writeFile(file, JSON.stringify(cases));
    const { stdout } = await this.nix.run('nix-build', [
      ...['--no-out-link', join(import.meta.dirname, 'fixtures/miniature', expression)],
      ...['--arg', 'nixpkgs', join(await embeddedFleet(), 'nixpkgs'), '--argstr', 'system', this.target.system],
      ...(cases === undefined ? [] : ['--arg', 'cases', file]),
      ...names.flatMap(name => ['-A', name]),
    ]);
    const paths = stdout.trim().split('\n');
    return Object.fromEntries(names.map((name, index) => [name, paths[index] ?? ''])) as Record<Name, string>;
  }

  /** Puts systems into the target's store. */
  async give(...toplevels: readonly string[]): Promise<void> {
    const file = join(await mkdtemp(join(tmpdir(), 'closure-')), 'closure');
    const bin = this.nix.installation.bin ?? '';
    const script = '"$0/nix-store" --export $("$0/nix-store" --query --requisites "$@") > "$FILE"';
    await exec('sh', ['-c', script, bin, ...toplevels], { env: { ...this.nix.environment(), FILE: file } });
    await mkdir(this.target.machine.path('/var/tmp'), { recursive: true });
    await copyFile(file, this.target.machine.path('/var/tmp/closure'));
    await this.target.says('sh', '-c', 'nix-store --import < /var/tmp/closure && rm /var/tmp/closure');
  }

  /** A host of the build stage, whose target is asked by this user. */
  async built(toplevel: string, user = viewer): Promise<Built> {
    const { target, nix } = this;
    const closure = await nix.closure([toplevel]);
    const closureBytes = closure.reduce((sum, { narSize }) => sum + narSize, 0);
    const wanted = { ...host(target.machine.name), target: address(target, { user, privilegeEscalation: [] }) };
    return { host: wanted, ok: true, toplevel, closure, closureBytes, builtDerivations: 0 };
  }

  /** The preview of one system. */
  async preview(toplevel: string, user = viewer): Promise<Preview> {
    const config = configuration('preview', this.key.private, this.target.knownHosts);
    const [result] = await preview([await this.built(toplevel, user)], config, context(recorder()));
    if (result === undefined) throw new Error('no preview');
    return result;
  }
}
