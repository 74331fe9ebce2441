import { inspect } from 'node:util';

/** A value that is never part of JSON, a message or a log: whatever prints it prints `***`. */
export abstract class Hidden {
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
