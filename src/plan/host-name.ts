import { UserError } from '../errors.ts';

/** Begins with a letter, digit or `_`, and contains no control characters, white space other than blanks, or quotes. */
const valid = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.@+:/ -]{0,254}$/u;

/**
 * Checks a name before it is printed or becomes part of a file's name: it is from a repository or an archive, and could be
 * made to look like something else, such as a command for the runner.
 *
 * @param where the file that the name is from.
 * @throws UserError if it cannot be the name of a host.
 */
export function checkHostName(name: string, where: string): void {
  if (valid.test(name)) return;
  throw new UserError(`${JSON.stringify(name)} cannot be the name of a host.`, {
    where: { file: where },
    cure: 'Use letters, digits and `_`, and after the first character also `.`, `-`, `@`, `+`, `:`, `/` and blanks.',
  });
}
