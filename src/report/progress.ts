import stringWidth from 'string-width';
import { count, duration } from '../amounts.ts';
import type { HostEvent, Stage, StageEvent } from '../context.ts';
import { column, cut } from './cells.ts';
import { plain } from './markdown.ts';

/** Where progress is written: standard error, or a test's replacement. */
export interface Screen {
  write(text: string): unknown;
  /** True for a terminal that people look at. */
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** Shows which stage runs and what is happening to the hosts. */
export interface Progress {
  event(event: HostEvent | StageEvent): void;
  /** Prints text above the live lines, without terminal sequences: it may be what a build or a target printed. */
  line(text: string): void;
  /** Something else printed a line, so there is no silence to break. */
  heard(): void;
  /** Draws the final state and releases the terminal. Must be called, also after a failure. */
  end(): void;
}

/**
 * One line for each host on a terminal, redrawn in place; otherwise plain lines.
 *
 * @param live false to print plain lines on a terminal too (CI, `TERM=dumb`).
 */
export function openProgress(screen: Screen, live: boolean, now: () => number = Date.now): Progress {
  return live && screen.isTTY === true ? new LiveProgress(screen, now) : new PlainProgress(screen, now);
}

/** Milliseconds between two lines of one host that only show its progress. */
const pause = 10_000;

/** Milliseconds without any line until one says what the run waits for. */
const silence = 60_000;

/** Hosts that such a line names, at most. */
const namedHosts = 3;

class PlainProgress implements Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #last = new Map<string, { event: HostEvent; since: number; at: number }>();
  /** What was said of a host while its state stayed the same, and when: hosts that share a download all report it. */
  readonly #said = new Map<string, number>();
  #stage: { name: Stage; since: number } | null = null;
  #heard: number;
  readonly #clock: NodeJS.Timeout;

  constructor(screen: Screen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
    this.#heard = now();
    this.#clock = setInterval(() => this.#breakSilence(), 1000).unref();
  }

  event(event: HostEvent | StageEvent): void {
    if (!('host' in event)) {
      this.#stage = event.state === 'done' ? null : { name: event.stage, since: this.#now() };
      this.#heard = this.#now();
      return;
    }
    const { host, stage, state, text } = event;
    if (state === 'waiting') return;
    const now = this.#now();
    const last = this.#last.get(host);
    const same = last?.event.stage === stage && last.event.state === state;
    const since = same ? last.since : now;
    if (same && state === 'running' && (now - last.at < pause || this.#wasSaid(stage, text))) {
      this.#last.set(host, { event, since, at: last.at });
      return;
    }
    this.#last.set(host, { event, since, at: now });
    this.#said.set(`${stage} ${text}`, now);
    this.line(`${host}: ${stage}: ${state === 'failed' ? 'failed: ' : ''}${oneLine(text)}`);
  }

  line(text: string): void {
    this.heard();
    this.#screen.write(`${plain(text)}\n`);
  }

  heard(): void {
    this.#heard = this.#now();
  }

  end(): void {
    clearInterval(this.#clock);
  }

  #wasSaid(stage: Stage, text: string): boolean {
    const at = this.#said.get(`${stage} ${text}`);
    return at !== undefined && this.#now() - at < pause;
  }

  #breakSilence(): void {
    const now = this.#now();
    if (this.#stage === null || now - this.#heard < silence) return;
    const { name, since } = this.#stage;
    const running = [...this.#last.values()].filter(({ event }) => event.stage === name && event.state === 'running');
    const named = running
      .slice(0, namedHosts)
      .map(({ event, since }) => `${event.host} (${oneLine(event.text)}, ${duration((now - since) / 1000)})`);
    const more = running.length > named.length ? [count(running.length - named.length, 'more host')] : [];
    const waitsFor = named.length === 0 ? '' : `, waiting for ${[...named, ...more].join(', ')}`;
    this.line(`Still in the stage ${name} after ${duration((now - since) / 1000)}${waitsFor}.`);
  }
}

interface HostState extends HostEvent {
  since: number;
}

/** Milliseconds between two frames. */
const frame = 100;

class LiveProgress implements Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #hosts = new Map<string, HostState>();
  readonly #started: number;
  #stage: { name: Stage; since: number } | null = null;
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(screen: Screen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
    this.#started = now();
  }

  event(event: HostEvent | StageEvent): void {
    if ('host' in event) {
      const known = this.#hosts.get(event.host);
      const same = known?.stage === event.stage && known.state === event.state;
      this.#hosts.set(event.host, { ...event, since: same ? known.since : this.#now() });
    } else {
      this.#stage = event.state === 'done' ? null : { name: event.stage, since: this.#now() };
    }
    this.#timer ??= setTimeout(() => this.#draw(), frame).unref();
    this.#clock ??= setInterval(() => this.#draw(), 1000).unref();
  }

  line(text: string): void {
    this.#draw(`${plain(text)}\n`);
  }

  heard(): void {}

  end(): void {
    clearInterval(this.#clock);
    this.#draw('', true);
    this.#hosts.clear();
  }

  /** One write for the whole frame, inside a synchronized update, so that nothing flickers. */
  #draw(above = '', last = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const width = Math.max(20, this.#screen.columns ?? 80);
    const height = Math.max(4, this.#screen.rows ?? 24);
    const hosts = [...this.#hosts.values()];
    const lines =
      hosts.length === 0 && !last
        ? this.#stageLine()
        : frameOf(hosts, last ? Number.POSITIVE_INFINITY : height - 2, this.#now(), this.#started);
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
    const body = lines.map(text => `${cut(text, width - 1)}\n`).join('');
    this.#screen.write(`\u001b[?2026h${up}\u001b[J${above}${body}\u001b[?2026l`);
    this.#drawn = last ? 0 : lines.length;
  }

  /** Until the hosts are known, the stage is all there is to show. */
  #stageLine(): string[] {
    if (this.#stage === null) return [];
    const { name, since } = this.#stage;
    return [`${marks.running} ${name} ${duration((this.#now() - since) / 1000)}`];
  }
}

const marks: Record<HostEvent['state'], string> = { waiting: ' ', running: '·', done: '✓', failed: '✗' };

/**
 * The lines of a frame, at most `most`: failed hosts, then running ones, then those that are done. Hosts that do not fit are
 * counted, as are those that wait.
 */
export function frameOf(
  hosts: readonly (HostEvent & { since: number })[],
  most: number,
  now: number,
  started: number,
): string[] {
  if (hosts.length === 0) return [];
  const of = (state: HostEvent['state']): (HostEvent & { since: number })[] =>
    hosts.filter(each => each.state === state);
  const running = of('running').sort((a, b) => a.since - b.since);
  // If all fit, they keep their order. If not, the ones that ended last are the most interesting.
  const done = of('done').sort((a, b) => (Number.isFinite(most) ? b.since - a.since : 0));
  const ordered = [...of('failed'), ...running, ...done];
  const room = Math.max(1, most - 1);
  const shown = ordered.slice(0, room);
  const nameWidth = Math.min(24, Math.max(...shown.map(({ host }) => stringWidth(host)), 0));
  const lines = shown.map(({ host, stage, state, text, since }) => {
    const time = state === 'running' ? ` ${duration((now - since) / 1000)}` : '';
    return `${marks[state]} ${column(host, nameWidth)} ${stage.padEnd(7)}${time} ${oneLine(text)}`;
  });
  const counts = (['failed', 'running', 'done', 'waiting'] as const)
    .map(state => [of(state).length, state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`);
  const hidden = ordered.length - shown.length;
  const more = hidden > 0 ? `, ${hidden} not shown` : '';
  return [...lines, `${count(hosts.length, 'host')}: ${counts.join(', ')}${more}, ${duration((now - started) / 1000)}`];
}

function oneLine(text: string): string {
  return plain(text).replaceAll(/\s+/g, ' ').trim();
}
