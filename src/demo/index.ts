import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { duration } from '../amounts.ts';
import type { Context } from '../context.ts';
import type { OutcomeKind } from '../deploy/outcome.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import type { Run } from '../report/run.ts';
import { copyFleet, sshdPackages, systems } from './fleet.ts';
import { checkMachine, startTargets, type Targets } from './target.ts';

/** What only the entry can provide. */
export interface DemoPorts {
  /** A directory for downloads that is kept between runs. */
  cache: string;
  /** Sets up Nix on this machine and, until the demo ends, the emulation of `system`. */
  prepare(system: string): Promise<NixInstallation>;
  /** Runs the pipeline as `ferry run` does with these inputs, and shows its progress. */
  run(inputs: Readonly<Record<string, string>>): Promise<Run>;
  /** Prints a line. */
  say(line: string): void;
}

/**
 * Builds the embedded fleet, an x86_64 server and an aarch64 router, and deploys it to targets inside this machine. Then
 * asks the targets what they run, and runs the pipeline again to show that nothing is left to do.
 *
 * Leaves nothing behind except downloads, and Nix if it had to be installed.
 *
 * @returns whether the targets run what was built.
 * @throws UserError if the machine cannot run the demo.
 */
export async function demo(ports: DemoPorts, context: Context): Promise<boolean> {
  const { say } = ports;
  const begun = performance.now();
  await checkMachine(context);
  const foreign = process.arch === 'arm64' ? systems.server : systems.router;
  const source = join(context.scratch, 'fleet');
  say('Preparing a copy of examples/embedded in a Git repository, Nix, and targets inside this machine.');
  const parts = [
    copyFleet(source, ports.cache, context),
    sshdPackages(ports.cache, existsSync('/usr/sbin/sshd'), context),
    ports.prepare(foreign),
  ] as const;
  // If one fails, wait until none of them is running.
  await Promise.allSettled(parts);
  const [busyboxes, sshd, prepared] = await Promise.all(parts);
  let targets: Targets | undefined;
  try {
    const nix = new Nix(context, prepared);
    targets = await startTargets({ nix, busyboxes, sshd }, join(context.scratch, 'targets'), context);
    say(`Nix ${prepared.version}; ${seconds(begun)} so far.`);
    for (const [name, system] of Object.entries(systems)) {
      say(`  ${name.padEnd(8)}${system.padEnd(15)}${targets.addresses.get(name)}`);
    }
    const inputs = {
      source,
      targets: targets.yaml,
      'known-hosts': targets.knownHosts,
      'deploy-key': targets.deployKey,
    };
    say('\n$ ferry run --mode switch');
    const switched = await ports.run({ ...inputs, mode: 'switch' });
    context.signal.throwIfAborted();
    if (!allEnded(switched, ['deployed'])) return false;

    say('\nThe targets report:');
    const facts = await Promise.all(Object.keys(systems).map(name => inspect(name, targets as Targets)));
    for (const fact of facts) {
      say(`  ${fact.name.padEnd(8)}runs ${fact.current}`);
      say(`          profile ${fact.profile}; its own uname -m: ${fact.machine}; hello: ${fact.hello}`);
    }
    if (!facts.every(fact => isTrue(fact, switched))) {
      say('This is not what was planned.');
      return false;
    }

    say('\n$ ferry run --mode dry-activate      # again: nothing is left to do');
    const again = await ports.run({ ...inputs, mode: 'dry-activate' });
    context.signal.throwIfAborted();
    const idle = allEnded(again, ['unchanged', 'planned']) && again.outcomes.every(each => count(each.units) === 0);
    say(
      idle ? `\nBoth hosts run what their source says. ${seconds(begun)} in total.` : '\nSomething would still change.',
    );
    return idle;
  } finally {
    await targets?.end();
  }
}

/** Whether the run finished with one of `outcomes` for every host of the fleet. */
function allEnded(run: Run, outcomes: readonly OutcomeKind[]): boolean {
  const hosts = Object.keys(systems);
  return (
    run.error === null &&
    run.outcomes.length === hosts.length &&
    run.outcomes.every(each => hosts.includes(each.host) && outcomes.includes(each.outcome))
  );
}

function count(units: Run['outcomes'][number]['units']): number {
  return Object.values(units).reduce((sum, names: string[]) => sum + names.length, 0);
}

interface Fact {
  name: string;
  /** The toplevel that runs. */
  current: string;
  /** The toplevel of the profile. */
  profile: string;
  machine: string;
  hello: string;
}

async function inspect(name: string, targets: Targets): Promise<Fact> {
  const sw = '/run/current-system/sw/bin';
  const said = await targets.ask(
    name,
    `readlink -f /run/current-system && readlink -f /nix/var/nix/profiles/system && ${sw}/uname -m && ${sw}/hello`,
  );
  const [current = '', profile = '', machine = '', hello = ''] = said.split('\n');
  return { name, current, profile, machine, hello };
}

function isTrue({ name, current, profile, machine }: Fact, run: Run): boolean {
  const host = run.fleet?.hosts.find(each => each.name === name);
  return (
    host !== undefined && current === host.toplevel.outPath && profile === current && `${machine}-linux` === host.system
  );
}

function seconds(begun: number): string {
  return duration((performance.now() - begun) / 1000);
}
