import { expect } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { Activations } from './activation-driver.ts';
import {
  buildSystems,
  configuration,
  context,
  deployment,
  deployOne,
  localNix,
  type Recorded,
  recorder,
} from './deploy-fixture.ts';
import { testAddress } from './link.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from './target.ts';

/** Milliseconds for a test that reboots a machine, twice if it goes back. */
export const patience = 400_000;

/** What the machine runs, was booted with, and starts next. */
export interface Truth {
  running: string;
  booted: string;
  profile: string;
  boot: string;
}

/** A machine that deployments reboot. */
export class Rebooting {
  readonly target: Target;
  readonly #loader: string;
  readonly on: Activations;
  readonly #nix: Nix;
  readonly #key: Key;
  readonly #systems: Record<string, string>;

  private constructor(target: Target, loader: string, nix: Nix, key: Key, systems: Record<string, string>) {
    this.target = target;
    this.#loader = loader;
    this.#nix = nix;
    this.#key = key;
    this.#systems = systems;
    this.on = new Activations(target, systems);
  }

  /** A machine that was booted with `old` of reboot-systems.nix. */
  static async start(loader: string): Promise<Rebooting> {
    const [nix, key] = await Promise.all([localNix(), generateKey('deploy')]);
    const systems = await buildSystems(nix, 'x86_64-linux', 'reboot-systems.nix');
    const target = await startSystemdTarget({ name: loader.slice(0, 7), deployKey: key });
    const machine = new Rebooting(target, loader, nix, key, systems);
    await target.says('sh', '-c', 'echo "$0" > /var/lib/deployer', testAddress);
    expect((await machine.deploy('old')).outcome).toBe('deployed');
    await target.powerCut();
    await target.powerOn();
    expect(await machine.truth()).toEqual(machine.wholly('old'));
    return machine;
  }

  toplevel(name: string): string {
    return this.#systems[`${this.#loader}-${name}`] ?? `no system ${name}`;
  }

  deploy(name: string, more = {}, recorded: Recorded = recorder()): Promise<Outcome> {
    const { target } = this;
    const limits = { rebootTimeout: 60, confirmTimeout: 5, ...more };
    const config = configuration('switch', this.#key.private, target.knownHosts, limits);
    return deployOne(this.#nix, config, deployment(target, this.toplevel(name)), context(recorded));
  }

  wholly(name: string): Truth {
    const path = this.toplevel(name);
    return { running: path, booted: path, profile: path, boot: path };
  }

  async truth(): Promise<Truth> {
    const { target } = this;
    return {
      running: (await target.currentSystem()) ?? '',
      booted: await target.says('readlink', '-f', '/run/booted-system'),
      profile: (await target.profile()) ?? '',
      boot: (await this.on.call('probe')).values.boot ?? '',
    };
  }

  /** Nothing is left over: no record, unit, timer, root, and no generation of what was not deployed. */
  async expectClean(): Promise<void> {
    await until(async () => expect(await this.on.left()).toEqual([]), 'nothing left');
    const look =
      'ls -A /etc/systemd/system.control /sys/firmware/efi/efivars 2>/dev/null; grep next_entry /boot/grub/grubenv; :';
    expect(
      (await this.target.says('sh', '-c', look)).split('\n').filter(line => /nix-ferry|OneShot|next_entry=/.test(line)),
    ).toEqual([]);
  }

  /** The systems of all generations, without repetitions. */
  async generations(): Promise<string[]> {
    return [...new Set((await this.target.generations()).values())].sort();
  }
}
