import { phases } from './activation-driver.ts';

/** What may happen to an activation, and the test file that makes it happen. */
export const kinds = {
  'its process killed': 'activation-kill',
  'its unit killed': 'activation-kill',
  'its unit frozen': 'activation-kill',
  'disk full': 'activation-full',
  '/boot full': 'activation-full',
  'connection dropped': 'runner-kill',
  'runner killed': 'runner-kill',
  'power cut': 'power-cut',
} as const;
export type Kind = keyof typeof kinds;

const at = (phase: string): number => phases.indexOf(phase);

/** The phases in which the dead man's switch watches the supervisor from their start. */
export const armed = phases.slice(at('arm') + 1, at('disarm') + 1);

/** The phases at whose start the new system is committed. */
export const done = phases.slice(at('commit') + 1);

/** The phases that come after the confirmation. */
export const confirmed = phases.slice(at('confirm') + 1);

/** The phases at whose start there is an open record. */
export const recorded = phases.slice(at('expect'));

/** The phases in which something of this kind may happen: all of them, so that a new phase is covered by itself. */
export function phasesOf(kind: Kind): readonly string[] {
  // Before the switch is armed, and after it is disarmed, nobody ends a unit that is frozen.
  return kind === 'its unit frozen' ? armed : phases;
}

/** The table of kill points: each phase with everything that may happen at its start. */
export const killPoints = (Object.keys(kinds) as Kind[]).flatMap(kind =>
  phasesOf(kind).map(phase => [phase, kind] as const),
);
