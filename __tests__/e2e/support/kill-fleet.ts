import { expect } from '@jest/globals';
import { type DeployConfig, deploy } from '../../../src/deploy/index.ts';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { expectNextRun, expectWhole, held, holdAt, other } from './activation-disasters.ts';
import { Activations, type State } from './activation-driver.ts';
import { buildSystems, configuration, context, deployment, localNix, recorder } from './deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, until } from './target.ts';
import { type Versions, versionedSecrets, versionsOn } from './versioned-secrets.ts';

const size = 4;

/** The phases in groups: as many as there are machines, so that a group goes through its disaster at the same time. */
export function inGroups(phases: readonly string[]): string[][] {
  const groups = Math.ceil(phases.length / size);
  return Array.from({ length: groups }, (_, index) => phases.slice(index * size, (index + 1) * size));
}

/** One row of the kill table: a machine, and the phase at whose start its activation is held. */
export interface Row {
  phase: string;
  on: Activations;
  before: State;
  secretsBefore: Versions;
  /** The systems that it runs and that it is to get. */
  old: string;
  next: string;
  release(): Promise<void>;
}

/** Machines to which a runner deploys at once. */
export class KillFleet {
  readonly machines: readonly Activations[];
  readonly nix: Nix;
  readonly key: Key;
  /** Of the secrets that the last deployment was to send. */
  secretsVersion = 0;

  private constructor(machines: readonly Activations[], nix: Nix, key: Key) {
    this.machines = machines;
    this.nix = nix;
    this.key = key;
  }

  /** All of them run `one`. */
  static async start(): Promise<KillFleet> {
    const key = await generateKey('deploy');
    const nix = await localNix();
    const systems = await buildSystems(nix, 'x86_64-linux', 'activation-systems.nix');
    const names = Array.from({ length: size }, (_, index) => `web-${index}`);
    const targets = await Promise.all(names.map(name => startSystemdTarget({ name, deployKey: key })));
    const fleet = new KillFleet(
      targets.map(target => new Activations(target, systems)),
      nix,
      key,
    );
    const outcomes = await fleet.deploy(fleet.machines.map(on => [on, 'one'] as const));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(names.map(() => 'deployed'));
    return fleet;
  }

  stop(): Promise<unknown> {
    return Promise.all(this.machines.map(({ target }) => target.stop()));
  }

  openGates(): void {
    for (const on of this.machines) on.openGates();
  }

  get knownHosts(): string {
    return this.machines.map(({ target }) => target.knownHosts).join('\n');
  }

  /** Deploys with the deploy stage of the runner, in this process, with a new version of the secrets. */
  deploy(wanted: readonly (readonly [Activations, string])[], more: Partial<DeployConfig> = {}): Promise<Outcome[]> {
    const secrets = versionedSecrets(++this.secretsVersion);
    const deployments = wanted.map(([on, name]) => deployment(on.target, on.toplevel(name), { secrets }));
    const config = configuration('switch', this.key.private, this.knownHosts, more);
    return deploy(deployments, config, this.nix, context(recorder()));
  }

  /** Makes each machine stop at another phase. */
  hold(phases: readonly string[]): Promise<Row[]> {
    return Promise.all(
      phases.map(async (phase, index) => {
        const on = this.machines[index] as Activations;
        const before = await on.state();
        const next = other(on, before.current);
        const old = other(on, on.toplevel(next));
        expectWhole(on, before, old);
        const secretsBefore = await versionsOn(on.target);
        return { phase, on, before, secretsBefore, old, next, release: await holdAt(on, phase) };
      }),
    );
  }

  /** Waits until the activation of each row is held at its phase. */
  async held(rows: readonly Row[]): Promise<void> {
    await Promise.all(
      rows.map(async ({ on, phase }) => {
        const id = await until(async () => {
          const [first] = on.runs();
          if (first === undefined) throw new Error('not yet');
          return first;
        }, `a run on ${on.target.machine.name}`);
        await held(on, id, phase);
      }),
    );
  }
}

/** The next run of a row succeeds; afterwards nothing is left on its machine. */
export async function expectNext({ on }: Row): Promise<void> {
  const after = await on.state();
  expect((await expectNextRun(on, after, other(on, after.current), 'none')).values.settled).toBe('');
}
