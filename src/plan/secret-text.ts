import { Hidden } from '../hidden.ts';

/** The text of a secret that a source defines inline. */
export class SecretText extends Hidden {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  /** The text itself, for the target that needs it. */
  reveal(): string {
    return this.#text;
  }
}
