/** A Markdown document made of parts that never grows beyond a number of bytes. */
export class LimitedDocument {
  readonly #parts: string[] = [];
  readonly #limit: number;
  #bytes = 0;

  /** @param limit bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The bytes that are left. */
  get room(): number {
    return this.#limit - this.#bytes;
  }

  /** @returns whether the part fits. */
  add(part: string): boolean {
    const bytes = Buffer.byteLength(part) + 2;
    if (this.#bytes + bytes > this.#limit) return false;
    this.#bytes += bytes;
    this.#parts.push(part);
    return true;
  }

  /** Adds lines of one part, as many as fit into half of the document; `rest` replaces those that are left out. */
  addLines(lines: readonly string[], rest: (left: number) => string): void {
    let bytes = 0;
    const fitting = lines.findIndex(line => {
      bytes += Buffer.byteLength(line) + 1;
      return bytes > this.#limit / 2;
    });
    const shown = fitting === -1 ? lines : [...lines.slice(0, fitting), rest(lines.length - fitting)];
    this.add(shown.join('\n'));
  }

  /** Adds parts until one does not fit; `rest` replaces those that are left out. */
  addAll(parts: readonly string[], rest: (left: number) => string): void {
    for (const [index, part] of parts.entries()) {
      if (this.add(part)) continue;
      this.addLast(rest(parts.length - index));
      return;
    }
  }

  /** Adds a short line that says what was left out, even if there is no room: limits have a reserve for it. */
  addLast(line: string): void {
    this.#bytes = this.#limit;
    this.#parts.push(line);
  }

  text(): string {
    return `${this.#parts.join('\n\n')}\n`;
  }
}
