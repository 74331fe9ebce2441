import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import type { Activations, Answers, State } from './activation-driver.ts';
import { until } from './target.ts';

/** Makes the supervisor stop at the start of a phase, by what a machine may do: a lock that is held, a disk that hangs. */
export async function holdAt(on: Activations, phase: string): Promise<() => Promise<void>> {
  const { machine } = on.target;
  if (phase === 'lock') {
    on.gate('lock', '');
    const script =
      'mkdir -p /run/nix-ferry && exec flock /run/nix-ferry/lock sh -c ": >/run/gate/at-lock; while [ -e /run/gate/lock ]; do sleep 0.1; done"';
    const child = spawn('nsenter', machine.enter(['sh', '-c', script]));
    const ended = new Promise(resolve => child.once('close', resolve));
    await on.heldAt('lock');
    on.gate('at-lock', null);
    return async () => {
      on.gate('lock', null);
      await ended;
    };
  }
  if (phase === 'look') on.gate('look', '');
  else on.gate('disk', phase);
  return async () => on.openGates();
}

/** Waits until the supervisor of a run is held at the start of a phase. */
export async function held(on: Activations, id: string, phase: string): Promise<void> {
  if (phase === 'lock') await on.inPhase(id, 'lock');
  else await on.heldAt(phase === 'look' ? 'look' : 'disk');
}

/** What may happen to a supervisor. */
export const disasters = {
  'its process killed': async (on: Activations, id: string) => {
    const pid = readFileSync(on.target.machine.path(`/run/nix-ferry/${id}/pid`), 'utf8').trim();
    await on.target.says('kill', '-KILL', pid);
  },
  'its unit killed': (on: Activations, id: string) =>
    on.target.says('systemctl', 'kill', '--signal=KILL', `nix-ferry-${id}.service`),
  'its unit frozen': (on: Activations, id: string) => on.target.says('systemctl', 'freeze', `nix-ferry-${id}.service`),
} satisfies Record<string, (on: Activations, id: string) => Promise<unknown>>;
export type Disaster = keyof typeof disasters;

/** The other one of the two systems. */
export function other(on: Activations, current: string | null): string {
  return current === on.toplevel('one') ? 'two' : 'one';
}

/** Running system, profile and boot default are one system, and the worker is its worker. */
export function expectWhole(on: Activations, state: State, name: string): void {
  const path = on.toplevel(name);
  expect(state).toMatchObject({ current: path, profile: path, boot: path });
  expect(state.worker).toContain(`GENERATION=${name}`);
}

/** After a disaster that ended the run `ended`: the next run succeeds, and its generation has the next number. */
export async function expectNextRun(on: Activations, before: State, name: string, ended: string): Promise<Answers> {
  const answers = await on.deploy('switch', name);
  expect(answers.values).toMatchObject({ result: 'finished', current: on.toplevel(name) });
  const state = await on.state();
  expectWhole(on, state, name);
  const last = Math.max(...before.generations.map(([number]) => number));
  expect(state.generation).toBe(`system-${last + 1}-link`);
  expect(state.generations).toEqual([...before.generations, [last + 1, on.toplevel(name)]]);
  await on.call('finish', ended);
  await expectNothingLeft(on);
  return answers;
}

/** A timer may need a moment to see that it is no longer needed. */
export async function expectNothingLeft(on: Activations): Promise<void> {
  await until(async () => expect(await on.left()).toEqual([]), 'nothing left');
}

/** What a disaster is to end with. */
export interface Ending {
  /** The machine before the run. */
  before: State;
  /** The system that the run was to activate. */
  next: string;
  /** The system that the machine is to be on. */
  whole: string;
  /** The dead man's switch settles it. */
  armed: boolean;
  /** There was an open record. */
  recorded: boolean;
  /** Where no switch is armed: `settle` is called, as a runner would; otherwise it is left to the next run. */
  settle: boolean;
}

/** After a disaster: `values` are what the watcher of the run `id` got; nothing is left over, and the next run succeeds. */
export async function expectSettled(
  on: Activations,
  id: string,
  values: Record<string, string>,
  { before, next, whole, armed, recorded, settle }: Ending,
): Promise<void> {
  const outcome = whole === next ? 'finished' : 'taken-back';
  const path = on.toplevel(whole);
  if (values.end === 'lost') {
    expect(armed).toBe(false);
    if (settle) {
      const settled = (await on.call('settle')).values;
      expect(settled).toMatchObject({ end: 'settle', current: path, settled: recorded ? outcome : '' });
    }
  } else {
    const result = whole === next ? 'finished' : 'went-back';
    expect(values).toMatchObject({ end: 'status', by: 'switch', result, current: path, profile: path, boot: path });
  }
  await on.call('finish', id);
  const left = values.end === 'lost' && !settle;
  if (!left) await expectNothingLeft(on);
  const after = await on.state();
  expectWhole(on, after, whole);
  if (whole !== next) {
    expect(after).toMatchObject({ generation: before.generation, generations: before.generations });
  }
  const following = await expectNextRun(on, after, other(on, path), id);
  expect(following.values.settled).toBe(left && recorded ? outcome : '');
}
