import { size } from '../amounts.ts';
import type { LogEvent } from '../nix/log.ts';

/** How far Nix is with the builds and downloads of a run, read from its log. One instance can follow several calls of Nix. */
export class BuildCounts {
  /** Activity → builds that this call of Nix expects. */
  readonly #expected = new Map<number, number>();
  /** Activity → bytes that its downloads will have. */
  readonly #sizes = new Map<number, number>();
  /** Download → bytes. */
  readonly #downloads = new Map<number, { done: number; expected: number }>();
  #started = 0;

  see(event: LogEvent): void {
    switch (event.kind) {
      case 'build-start':
        this.#started += 1;
        break;
      case 'builds-start':
        this.#expected.set(event.id, 0);
        break;
      case 'download-start':
        this.#downloads.set(event.id, { done: 0, expected: 0 });
        break;
      case 'download-size':
        this.#sizes.set(event.id, event.bytes);
        break;
      case 'progress':
        if (this.#expected.has(event.id)) this.#expected.set(event.id, event.expected);
        if (this.#downloads.has(event.id)) this.#downloads.set(event.id, event);
        break;
      default:
    }
  }

  /** "3 of 17": the build that was started last, and all; null if there is only one. */
  builds(): string | null {
    const expected = Math.max(this.#started, sum(this.#expected.values()));
    return expected > 1 ? `${this.#started} of ${expected}` : null;
  }

  /** Bytes that were downloaded until now. */
  get downloadedBytes(): number {
    return sum([...this.#downloads.values()].map(each => each.done));
  }

  /** "120 MiB of 340 MiB"; null if nothing is downloaded. */
  downloads(): string | null {
    const all = [...this.#downloads.values()];
    const done = this.downloadedBytes;
    // Nix announces the sizes of the paths that it substitutes; other downloads only know their own.
    const expected = Math.max(sum(this.#sizes.values()), sum(all.map(each => each.expected)));
    return expected === 0 ? null : `${size(done)} of ${size(Math.max(done, expected))}`;
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
