import stringWidth from 'string-width';
import { count, duration } from '../amounts.ts';
import type { HostEvent } from '../context.ts';
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

/** Shows what is happening to the hosts. */
export interface Progress {
  event(event: HostEvent): void;
  /** Prints text above the live lines, without terminal sequences: it may be what a build or a target printed. */
  line(text: string): void;
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

class PlainProgress implements Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #last = new Map<string, { key: string; at: number }>();

  constructor(screen: Screen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
  }

  event({ host, stage, state, text }: HostEvent): void {
    if (state === 'waiting') return;
    const last = this.#last.get(host);
    const key = `${stage} ${state}`;
    if (last?.key === key && state === 'running' && this.#now() - last.at < pause) return;
    this.#last.set(host, { key, at: this.#now() });
    this.line(`${host}: ${stage}: ${state === 'failed' ? 'failed: ' : ''}${oneLine(text)}`);
  }

  line(text: string): void {
    this.#screen.write(`${plain(text)}\n`);
  }

  end(): void {}
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
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(screen: Screen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
    this.#started = now();
  }

  event(event: HostEvent): void {
    const known = this.#hosts.get(event.host);
    const same = known?.stage === event.stage && known.state === event.state;
    this.#hosts.set(event.host, { ...event, since: same ? known.since : this.#now() });
    this.#timer ??= setTimeout(() => this.#draw(), frame).unref();
    this.#clock ??= setInterval(() => this.#draw(), 1000).unref();
  }

  line(text: string): void {
    this.#draw(`${plain(text)}\n`);
  }

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
    const lines = frameOf(
      [...this.#hosts.values()],
      last ? Number.POSITIVE_INFINITY : height - 2,
      this.#now(),
      this.#started,
    );
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
    const body = lines.map(text => `${cut(text, width - 1)}\n`).join('');
    this.#screen.write(`\u001b[?2026h${up}\u001b[J${above}${body}\u001b[?2026l`);
    this.#drawn = last ? 0 : lines.length;
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
