// The activation protocol (target/activation) as a small machine: what runs on a target, what its disk says, and every
// process that may take the next step. Steps interleave in every order; explore.ts tries all of them.

/** What can run, be the profile or the boot default: the first system, and those of run `a` and run `b`. */
export type System = 'old' | 'a' | 'b' | 'mixed';
export type Run = 'a' | 'b';
type Process = Run | 'switch-a' | 'switch-b' | 'boot-check';

/** The open record, as far as settling reads it. */
interface OpenRecord {
  run: Run;
  phase: string;
  before: System;
  profile: System;
  boot: System;
  bootId: number;
  /** The run takes a reboot, and goes on after it. */
  reboots: boolean;
  /** It has begun to go back by another reboot. */
  back: boolean;
}

/** All that is true at one moment. Plain data: its JSON is its identity. */
export interface State {
  running: System;
  profile: System;
  boot: System;
  /** What the boot loader starts the next time only. */
  once: System | null;
  bootId: number;
  record: OpenRecord | null;
  lock: Process | null;
  /** What each process has yet to do, one step after the other; empty: it does not live. */
  todo: Record<Process, string[]>;
  begun: Record<Run, boolean>;
  /** A supervisor that makes no more progress: its process hangs, or its whole unit does. */
  frozen: { process: Process; unit: boolean } | null;
  armed: Record<Run, boolean>;
  verdict: Record<Run, 'none' | 'confirmed' | 'expired'>;
  /** What a run saw in `look`. */
  seen: Record<Run, Pick<OpenRecord, 'before' | 'profile' | 'boot' | 'bootId'> | null>;
  result: Record<Run, 'none' | 'finished' | 'went-back' | 'stuck'>;
  /** History, for the invariants: which systems the runner has confirmed, and what was wrong when it was written. */
  confirmed: Record<Run, boolean>;
  untrue: string;
  /** How many disasters and failures may still happen. */
  disasters: number;
  failures: number;
}

/** A change to the protocol that must be found. */
export interface Protocol {
  /** How many disasters (kills, hangs, power cuts) and failures (of a command) may happen. */
  disasters: number;
  failures: number;
  phases: readonly string[];
  /** Systems are booted instead of activated. */
  reboots?: boolean;
  /** Such a system becomes the default at once. */
  stagedAsDefault?: boolean;
  /** Nothing goes on after a reboot. */
  notCarried?: boolean;
  /** The record names a phase only when it has ended. */
  recordAfterwards?: boolean;
  /** The state of the machine is read before the lock is held. */
  lookWithoutLock?: boolean;
  /** An open record of another run is overwritten. */
  withoutSettling?: boolean;
  /** `commit` in the open record means finished, whatever the machine is. */
  settleTrustsPhase?: boolean;
  /** The way back does not touch the profile or the boot loader. */
  backOnlyRuns?: boolean;
  /** The result is what was attempted. */
  resultUnread?: boolean;
  /** The dead man's switch does not look at the lock. */
  switchIgnoresLock?: boolean;
  /** The dead man's switch does not stop its timer when the record is another one's. */
  switchFiresForEver?: boolean;
  /** No supervisor ends itself when a phase is overdue. */
  withoutClock?: boolean;
  /** The dead man's switch only acts on a supervisor that is gone. */
  switchNeverEnds?: boolean;
}

export interface Step {
  name: string;
  next: State;
  /** A disaster, which nobody may rely on. */
  disaster: boolean;
}

const runs = ['a', 'b'] as const;
const processes: readonly Process[] = ['a', 'b', 'switch-a', 'switch-b', 'boot-check'];

const bodies: Record<string, readonly string[]> = {
  lock: ['take'],
  look: ['settle', 'see'],
  arm: ['arm'],
  activate: ['mix', 'activate'],
  reboot: ['stage', 'restart'],
  verify: ['verify'],
  confirm: ['await'],
  commit: ['set-profile', 'set-boot'],
  disarm: ['disarm'],
  report: ['finish', 'drop', 'result:finished', 'release'],
};
const back = ['back-reboot', 'back-mix', 'back-run', 'back-profile', 'back-boot', 'judge', 'drop', 'disarm', 'release'];

export function start(protocol: Protocol): State {
  const program = protocol.phases.flatMap(phase => {
    if (phase === (protocol.reboots ? 'activate' : 'reboot')) return [];
    const body = bodies[phase] ?? [];
    const enter = `enter:${phase}`;
    if (protocol.lookWithoutLock && phase === 'lock') return [enter, 'see', ...body];
    if (protocol.lookWithoutLock && phase === 'look') return [enter, 'settle'];
    return protocol.recordAfterwards ? [...body, enter] : [enter, ...body];
  });
  return {
    ...{ running: 'old', profile: 'old', boot: 'old', once: null, bootId: 0, record: null, lock: null, frozen: null },
    todo: { a: [...program], b: [...program], 'switch-a': [], 'switch-b': [], 'boot-check': [] },
    begun: { a: false, b: false },
    armed: { a: false, b: false },
    verdict: { a: 'none', b: 'none' },
    seen: { a: null, b: null },
    result: { a: 'none', b: 'none' },
    confirmed: { a: false, b: false },
    untrue: '',
    disasters: protocol.disasters,
    failures: protocol.failures,
  };
}

/** Every step that may come next. */
export function steps(state: State, protocol: Protocol): Step[] {
  const found: Step[] = [];
  const add = (name: string, change: (next: State) => void, disaster = false): void => {
    const next = JSON.parse(JSON.stringify(state)) as State;
    change(next);
    found.push({ name, next, disaster });
  };
  for (const process of processes) {
    const op = state.todo[process][0];
    if (op === undefined || state.frozen?.process === process) continue;
    if (op === 'take' && state.lock !== null) {
      if (process === 'boot-check' || goesOn(state, process)) continue;
      add(`${process} no longer waits for the lock`, next => kill(next, process));
      continue;
    }
    if (op === 'await') {
      const run = process as Run;
      if (state.verdict[run] !== 'confirmed') {
        add(`${run} is not confirmed in time`, next => {
          next.verdict[run] = 'expired';
          next.todo[run] = [...back];
        });
        continue;
      }
    }
    add(`${process}: ${op}`, next => perform(next, process, protocol));
    if (op === 'restart' && state.failures > 0) {
      add(`${process}: the new system panics`, next => {
        next.failures--;
        next.once = null;
        restart(next, protocol);
      });
    }
    if (state.failures > 0 && mayFail.has(op)) {
      add(`${process}: ${op} fails`, next => {
        next.failures--;
        next.todo[process].shift();
        if (process === 'a' || process === 'b') {
          if (!op.startsWith('back')) next.todo[process] = [...back];
        }
      });
    }
  }
  const { frozen } = state;
  if (frozen !== null && !frozen.unit && !protocol.withoutClock) {
    add(`${frozen.process} is ended by its own clock`, next => kill(next, frozen.process));
  }
  for (const run of runs) {
    if (state.todo[run][0] === 'await' && state.verdict[run] === 'none') {
      add(`the runner confirms ${run}`, next => {
        next.verdict[run] = 'confirmed';
        // What the runner can reach now is what it confirms.
        next.confirmed[run] = next.running === run;
      });
    }
    fire(state, run, protocol, add);
  }
  if (state.disasters > 0) strike(state, protocol, add);
  return found;
}

const mayFail = new Set(['activate', 'restart', 'verify', 'set-profile', 'set-boot', 'back-profile', 'back-boot']);

type Add = (name: string, change: (next: State) => void, disaster?: boolean) => void;

/** The timer of the dead man's switch. */
function fire(state: State, run: Run, protocol: Protocol, add: Add): void {
  const name: Process = `switch-${run}`;
  if (!state.armed[run] || state.todo[name].length > 0) return;
  if (state.frozen?.process === run && !protocol.switchNeverEnds) {
    add(`${name} ends an overdue supervisor`, next => kill(next, run));
  } else if (state.record?.run !== run) {
    if (state.todo[run].length > 0) return;
    add(`${name} sees that it is no longer needed`, next => {
      next.armed[run] = protocol.switchFiresForEver ?? false;
    });
  } else if (state.lock === null || (protocol.switchIgnoresLock && state.lock === run)) {
    add(`${name} settles`, next => {
      if (next.lock === null) next.lock = name;
      next.todo[name] = ['settle', 'stop', 'release'];
    });
  }
}

function strike(state: State, protocol: Protocol, add: Add): void {
  for (const process of processes) {
    if (state.todo[process].length === 0 || (process in state.begun && !state.begun[process as Run])) continue;
    add(
      `${process} is killed`,
      next => {
        next.disasters--;
        kill(next, process);
      },
      true,
    );
    if (state.frozen !== null || state.lock !== process || !(process in state.begun)) continue;
    // A unit that does before the switch is armed is nobody's to end: it has changed nothing.
    for (const unit of state.armed[process as Run] ? [false, true] : [false]) {
      add(
        `${process} hangs${unit ? ' with its whole unit' : ''}`,
        next => {
          next.disasters--;
          next.frozen = { process, unit };
        },
        true,
      );
    }
  }
  add(
    'power cut',
    next => {
      next.disasters--;
      restart(next, protocol);
    },
    true,
  );
}

/** The machine starts again: with a run that goes on, or else with the check at boot. */
function restart(next: State, protocol: Protocol): void {
  for (const process of processes) {
    if (!(process in next.begun) || next.begun[process as Run]) kill(next, process);
    if (next.begun[process as Run]) next.todo[process] = [];
  }
  next.armed = { a: false, b: false };
  next.running = next.once ?? next.boot;
  next.once = null;
  next.bootId++;
  if (!next.record?.reboots) next.todo['boot-check'] = [...bootCheck];
  else if (!protocol.notCarried) next.todo[next.record.run] = [...resumed];
}

/** A run after its reboot: what the phases after it do. */
const resumed = ['take', 'resume', 'arm'].concat(
  ['verify', 'confirm', 'commit', 'disarm', 'report'].flatMap(phase => [`enter:${phase}`, ...(bodies[phase] ?? [])]),
);

const bootCheck = ['take', 'settle', 'release'];

/** systemd starts the check again if it was killed. */
function kill(next: State, process: Process): void {
  const again = process === 'boot-check' ? bootCheck : goesOn(next, process) ? resumed : [];
  next.todo[process] = next.todo[process].length > 0 ? [...again] : [];
  if (next.lock === process) next.lock = null;
  if (next.frozen?.process === process) next.frozen = null;
}

/** A run after its reboot is started again until its dead man's switch is armed. */
function goesOn({ record, bootId, armed }: State, process: Process): boolean {
  return record?.run === process && record.reboots && bootId !== record.bootId && !armed[record.run];
}

function perform(next: State, process: Process, protocol: Protocol): void {
  const op = next.todo[process].shift() ?? '';
  if (process === 'a' || process === 'b') next.begun[process] = true;
  if (op.startsWith('enter:')) enter(next, process as Run, op.slice('enter:'.length));
  else if (op.startsWith('result:')) report(next, process as Run, op.slice(7));
  else operations[op]?.(next, process, protocol);
}

function enter(next: State, run: Run, phase: string): void {
  const seen = next.seen[run];
  if (phase === 'lock' || phase === 'look' || seen === null) return;
  const reboots = phase === 'reboot' || (next.record?.run === run && next.record.reboots);
  next.record = { run, phase, ...seen, reboots, back: false };
}

const operations: Record<string, (next: State, process: Process, protocol: Protocol) => void> = {
  take: (next, process) => {
    next.lock = process;
  },
  release: (next, process) => {
    if (next.lock === process) next.lock = null;
    next.todo[process] = [];
  },
  see: (next, process) => {
    const { running, profile, boot, bootId } = next;
    next.seen[process as Run] = { before: running, profile, boot, bootId };
  },
  arm: (next, process) => {
    next.armed[process as Run] = true;
  },
  mix: next => {
    next.running = 'mixed';
  },
  activate: (next, process) => {
    next.running = process as Run;
  },
  stage: (next, process, protocol) => {
    if (protocol.stagedAsDefault) next.boot = process as Run;
    else next.once = process as Run;
  },
  restart: (next, _process, protocol) => restart(next, protocol),
  resume: (next, process, protocol) => {
    const { record } = next;
    if (record?.run !== process) next.todo[process] = ['release'];
    else if (wasFinished(next, protocol)) next.todo[process] = ['settled:finished', 'settled-drop', 'release'];
    else if (next.running !== process || record.back || reached(next, 'commit', protocol))
      next.todo[process] = [...back];
  },
  'back-reboot': (next, process, protocol) => {
    const { record } = next;
    if (!record?.reboots) return;
    next.once = null;
    const others = process !== record.run && process !== `switch-${record.run}`;
    if (others || record.back || next.running !== record.run) return;
    if (next.bootId === record.bootId) return;
    next.profile = record.profile;
    next.boot = record.profile;
    record.back = true;
    restart(next, protocol);
  },
  'set-profile': (next, process) => {
    next.profile = process as Run;
  },
  'set-boot': (next, process) => {
    next.boot = process as Run;
  },
  disarm: (next, process) => {
    if (process in next.begun) next.armed[process as Run] = false;
  },
  stop: (next, process) => {
    next.armed[process === 'switch-a' ? 'a' : 'b'] = false;
  },
  drop: (next, process) => {
    if (next.record !== null && (next.record.run === process || !(process in next.begun))) next.record = null;
  },
  'settled-drop': next => {
    next.record = null;
  },
  'back-mix': next => {
    if (changedRunning(next)) next.running = 'mixed';
  },
  'back-run': next => {
    if (changedRunning(next)) next.running = next.record?.before ?? next.running;
  },
  'back-profile': (next, _process, protocol) => {
    if (reached(next, 'commit', protocol) && !protocol.backOnlyRuns)
      next.profile = next.record?.profile ?? next.profile;
  },
  'back-boot': (next, _process, protocol) => {
    if (reached(next, 'commit', protocol) && !protocol.backOnlyRuns) next.boot = next.record?.profile ?? next.boot;
  },
  judge: (next, _process, protocol) => {
    const { record } = next;
    if (record !== null) {
      const whole = sameAsBefore(next, record) || protocol.resultUnread;
      report(next, record.run, whole ? 'went-back' : 'stuck');
    }
  },
  settle: (next, process, protocol) => {
    const { record } = next;
    if (record === null || protocol.withoutSettling) return;
    if (record.run !== process) kill(next, record.run);
    next.todo[process].unshift(
      ...(wasFinished(next, protocol)
        ? ['settled:finished', 'settled-drop']
        : [...back.slice(0, back.indexOf('judge')), 'judge', 'settled-drop']),
    );
  },
  'settled:finished': next => {
    if (next.record !== null) report(next, next.record.run, 'finished');
  },
};

function reached({ record }: State, phase: string, { phases }: Protocol): boolean {
  return record !== null && phases.indexOf(record.phase) >= phases.indexOf(phase);
}

function wasFinished(state: State, protocol: Protocol): boolean {
  const { running, profile, boot, record } = state;
  if (record === null || !reached(state, 'commit', protocol)) return false;
  if (protocol.settleTrustsPhase) return true;
  return [running, profile, boot].every(system => system === record.run);
}

/** A machine that was restarted runs what its boot loader started, unless that was installed by this run. */
function changedRunning({ running, bootId, record }: State): boolean {
  if (record === null) return false;
  return bootId === record.bootId ? running !== record.before : running === record.run || running === 'mixed';
}

function sameAsBefore({ running, profile, boot, bootId }: State, record: OpenRecord): boolean {
  const runs = bootId === record.bootId ? running === record.before : running === profile;
  return runs && profile === record.profile && boot === record.profile;
}

/** Writes a result, and compares it with the machine: on the run's system, or as the record says that it was. */
function report(next: State, run: Run, result: string): void {
  if (next.result[run] !== 'none') return;
  next.result[run] = result as State['result'][Run];
  const { running, profile, boot, record } = next;
  const isNew = [running, profile, boot].every(system => system === run);
  const isOld = record !== null && sameAsBefore(next, record);
  if (result === 'finished' ? !isNew : result === 'went-back' && !isOld) {
    next.untrue = `${run} ${result}, with ${running}, ${profile}, ${boot}`;
  }
}
