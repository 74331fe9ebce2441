import type { Context, HostEvent } from '../context.ts';
import { derivationName } from '../nix/derivation.ts';
import { explainNixError, type HashMismatch, hashMismatchIn } from '../nix/explain.ts';
import type { LogEvent } from '../nix/log.ts';
import type { Host } from '../plan/fleet.ts';
import type { BuildFailure } from './built.ts';
import { BuildCounts } from './counts.ts';
import { type BuildWork, WorkRecorder } from './work.ts';

const keptLog = 16 * 1024;

/** Follows Nix's log during a build, and records for each host which builds finished, run or failed. */
export class BuildWatch {
  readonly #context: Context;
  readonly #missing: readonly Host[];
  /** Derivation → the hosts that need it. */
  readonly #needs = new Map<string, Host[]>();
  readonly #running = new Map<number, string>();
  readonly #counts = new BuildCounts();
  readonly #work = new WorkRecorder();
  /** What was last said about downloads. */
  #downloads: string | null = null;
  readonly #logs = new Map<string, string>();
  readonly #started = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #messages: { text: string; host: Host | undefined }[] = [];

  constructor(missing: readonly Host[], context: Context) {
    this.#missing = missing;
    this.#context = context;
  }

  /** Records the derivations that the host's toplevel is made from. */
  learn(host: Host, drvPaths: readonly string[]): void {
    for (const drvPath of drvPaths) {
      const hosts = this.#needs.get(drvPath);
      if (hosts === undefined) this.#needs.set(drvPath, [host]);
      else hosts.push(host);
    }
  }

  /** Processes one event; `alone` is the host it belongs to, if only one host is being built. */
  see(event: LogEvent, alone?: Host): void {
    this.#counts.see(event);
    this.#work.see(event);
    switch (event.kind) {
      case 'build-start':
        this.#running.set(event.id, event.drvPath);
        this.#started.add(event.drvPath);
        this.#logs.delete(event.drvPath);
        this.#sayBuilding(event.drvPath);
        break;
      case 'progress':
        this.#sayDownloading();
        break;
      case 'log-line': {
        const drvPath = this.#running.get(event.id);
        if (drvPath === undefined) break;
        this.#logs.set(drvPath, `${this.#logs.get(drvPath) ?? ''}${event.line}\n`.slice(-keptLog));
        this.#context.log.debug(`${derivationName(drvPath)}> ${event.line}`);
        break;
      }
      case 'stop':
        this.#running.delete(event.id);
        break;
      case 'error':
        this.#message(event.error.message, 0, alone);
        break;
      case 'message':
        this.#message(event.text, event.level, alone);
        break;
      default:
    }
  }

  say(host: Host, state: HostEvent['state'], text: string): void {
    this.#context.progress({ host: host.name, stage: 'build', state, text });
  }

  /** The derivation that failed first of those that the host needs; null if none failed. */
  failedDerivation(host: Host): string | null {
    for (const drvPath of this.#failed) if (this.#needs.get(drvPath)?.includes(host)) return drvPath;
    return null;
  }

  /** The hash mismatch because of which the host was not built; null if that is not the cause. */
  hashMismatch(host: Host): HashMismatch | null {
    return hashMismatchIn(this.#errorsOf(host));
  }

  failure(host: Host): Omit<BuildFailure, 'place'> {
    const mismatch = this.hashMismatch(host);
    if (mismatch !== null) {
      const { drvPath, specified, got } = mismatch;
      const message = `${derivationName(drvPath)} was downloaded with the hash ${got}, and the source specifies ${specified}`;
      return { message, drvPath, log: this.#errorsOf(host) };
    }
    const drvPath = this.failedDerivation(host);
    if (drvPath !== null) {
      const log = this.#logs.get(drvPath) ?? this.#errorsOf(host);
      return {
        message: explained(log) ?? explained(this.#errorsOf(host)) ?? `${derivationName(drvPath)} failed to build`,
        drvPath,
        log,
      };
    }
    const log = this.#errorsOf(host);
    const first = log.split('\n').find(line => line.trim() !== '');
    return { message: explained(log) ?? first ?? 'Nix did not build it and reported no error', drvPath: null, log };
  }

  /** The derivations that were built. */
  get builds(): string[] {
    return this.#work.builds;
  }

  /** What was done until now. For the parameters, see `WorkRecorder.items`. */
  work(systems: ReadonlyMap<string, string>, local: string): BuildWork {
    const items = this.#work.items(systems, drvPath => this.#failed.has(drvPath), local);
    return { items, downloadedBytes: this.#counts.downloadedBytes };
  }

  builtFor(host: Host): number {
    return [...this.#started].filter(drvPath => this.#needs.get(drvPath)?.includes(host)).length;
  }

  summary(host: Host): string {
    const built = this.builtFor(host);
    return built === 0 ? 'fetched' : `built ${built} ${built === 1 ? 'derivation' : 'derivations'}`;
  }

  #sayBuilding(drvPath: string): void {
    const counts = this.#counts.builds();
    const text = `building ${derivationName(drvPath)}${counts === null ? '' : ` (${counts})`}`;
    for (const host of this.#needs.get(drvPath) ?? []) this.say(host, 'running', text);
  }

  /** Downloads are not attributed to hosts: Nix does not say which derivation needs a path. */
  #sayDownloading(): void {
    const downloads = this.#counts.downloads();
    if (downloads === null || downloads === this.#downloads || this.#running.size > 0) return;
    this.#downloads = downloads;
    for (const host of this.#missing) this.say(host, 'running', `downloading ${downloads}`);
  }

  #message(text: string, level: number, alone: Host | undefined): void {
    // Nix up to 2.30: "builder for '….drv' failed"; from 2.31: "Cannot build '….drv'."
    const failed =
      /(?:builder for|Cannot build) '([^']+\.drv)'/.exec(text)?.[1] ??
      /(\/[^'\s!^]+\.drv)[^\n]* timed out after/.exec(text)?.[1];
    if (failed !== undefined) this.#failed.add(failed);
    if (level === 0) this.#messages.push({ text, host: alone });
    if (level <= 1) this.#context.log.debug(text);
  }

  /** The errors that Nix reported: those of the host if it was built alone, else those that name one of its derivations, else all. */
  #errorsOf(host: Host): string {
    const own = this.#messages.filter(message => message.host === host);
    const named = this.#messages.filter(message =>
      [...message.text.matchAll(/\/nix\/store\/[^'\s]+\.drv/g)].some(([drvPath]) =>
        this.#needs.get(drvPath)?.includes(host),
      ),
    );
    const chosen = own.length > 0 ? own : named.length > 0 || this.#missing.length > 1 ? named : this.#messages;
    return (chosen.length > 0 ? chosen : this.#messages)
      .map(message => message.text)
      .join('\n')
      .slice(-keptLog);
  }
}

/** What it means and what to do; null if that is unknown. */
function explained(log: string): string | null {
  const known = explainNixError(log);
  return known === null ? null : `${known.message}. ${known.cure}`;
}
