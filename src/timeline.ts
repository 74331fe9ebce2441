import type { Context, HostEvent, Stage, StageEvent } from './context.ts';

/** Milliseconds since 1970. */
export interface Period {
  from: number;
  to: number;
}

/** When a stage ran or, if `host` is not null, when it worked on a host. A stage may work on a host several times. */
export interface Span extends Period {
  stage: Stage;
  host: string | null;
  failed: boolean;
}

/** Records, from the progress of a run, when each stage worked, and on which host. */
export class Timeline {
  readonly #now: () => number;
  readonly #open = new Map<string, Omit<Span, 'to' | 'failed'>>();
  readonly #ended: Span[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The same context, whose progress is recorded too. */
  watch(context: Context): Context {
    return {
      ...context,
      progress: event => {
        this.see(event);
        context.progress(event);
      },
    };
  }

  see(event: HostEvent | StageEvent): void {
    const { stage, state } = event;
    const host = 'host' in event ? event.host : null;
    const key = JSON.stringify([stage, host]);
    const open = this.#open.get(key);
    if (state === 'running') {
      if (open === undefined) this.#open.set(key, { stage, host, from: this.#now() });
      return;
    }
    if (open === undefined) return;
    this.#open.delete(key);
    this.#ended.push({ ...open, to: this.#now(), failed: state === 'failed' });
  }

  /** What has ended, in this order. */
  spans(): Span[] {
    return [...this.#ended];
  }
}
