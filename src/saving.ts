/** Work that continues while later stages run: saving caches for later runs. None of it may throw. */
export class Saving {
  readonly #work: Promise<void>[] = [];

  add(work: Promise<void>): void {
    this.#work.push(work);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#work);
  }
}
