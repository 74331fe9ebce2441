import { inspect } from 'node:util';

/** The text of a secret that a source defines inline. It is never part of JSON, a message or a log. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the target that needs it. */
  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return '***';
  }

  toString(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}
