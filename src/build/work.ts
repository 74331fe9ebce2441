import type { LogEvent } from '../nix/log.ts';
import type { Period } from '../timeline.ts';

/** A derivation that was built, or a store path that was fetched. */
export interface WorkItem extends Period {
  kind: 'built' | 'fetched';
  /** Of the derivation or of the store path. */
  path: string;
  /** The address of the remote builder or the substituter; null: this machine. */
  where: string | null;
  /** The system for which a derivation was built; null: it is that of this machine, or not known. */
  system: string | null;
  /** Whether an emulator ran its builder. */
  emulated: boolean;
  failed: boolean;
}

/** What Nix did in the build stage. */
export interface BuildWork {
  items: WorkItem[];
  /** Bytes that were downloaded, as they came over the network. */
  downloadedBytes: number;
}

/** Stores that are no substituters: this machine, and builders from which the results are copied. */
const notSubstituters = /^(local|daemon|auto|unix|ssh|ssh-ng)($|:)/;

/** Records from Nix's log when each build and each fetch began and ended. */
export class WorkRecorder {
  readonly #now: () => number;
  readonly #open = new Map<number, Pick<WorkItem, 'kind' | 'path' | 'where' | 'from'>>();
  readonly #ended: Pick<WorkItem, 'kind' | 'path' | 'where' | 'from' | 'to'>[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  see(event: LogEvent): void {
    const from = this.#now();
    if (event.kind === 'build-start') {
      const where = event.machine === '' ? null : event.machine;
      this.#open.set(event.id, { kind: 'built', path: event.drvPath, where, from });
    }
    if (event.kind === 'copy-start' && !notSubstituters.test(event.source)) {
      this.#open.set(event.id, { kind: 'fetched', path: event.path, where: event.source, from });
    }
    const open = event.kind === 'stop' ? this.#open.get(event.id) : undefined;
    if (event.kind !== 'stop' || open === undefined) return;
    this.#open.delete(event.id);
    this.#ended.push({ ...open, to: from });
  }

  /** The derivations that were built. */
  get builds(): string[] {
    return this.#ended.filter(({ kind }) => kind === 'built').map(({ path }) => path);
  }

  /**
   * @param systems derivation → system, of those that are not built for this machine's own system.
   * @param failed whether a derivation failed.
   * @param local the system of this machine.
   */
  items(systems: ReadonlyMap<string, string>, failed: (drvPath: string) => boolean, local: string): WorkItem[] {
    return this.#ended.map(item => {
      const system = systems.get(item.path) ?? null;
      return {
        ...item,
        system: system === local ? null : system,
        emulated: system !== null && item.where === null && isForeign(system, local),
        failed: item.kind === 'built' && failed(item.path),
      };
    });
  }
}

/** Systems besides its own whose programs a processor runs. */
const related: Readonly<Record<string, RegExp>> = {
  'x86_64-linux': /^i686-linux$/,
  'aarch64-linux': /^armv[67]l-linux$/,
};

function isForeign(system: string, local: string): boolean {
  return system !== local && system !== 'builtin' && !(related[local]?.test(system) ?? false);
}
