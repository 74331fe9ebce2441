import { UserError } from '../errors.ts';

/**
 * Splits `a."b.c".d` into its names.
 *
 * @throws UserError if a quote is not closed or a name is empty.
 */
export function attributePath(text: string | null): string[] {
  if (text === null || text.trim() === '') return [];
  const names: string[] = [];
  const part = /"((?:[^"\\]|\\.)*)"|([^."\s]+)/y;
  let at = 0;
  for (;;) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) break;
    names.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/gs, '$1'));
    at = part.lastIndex;
    if (at === text.length) return names;
    if (text[at] !== '.') break;
    at += 1;
  }
  throw new UserError(`${JSON.stringify(text)} is not an attribute path.`, {
    where: { input: 'attribute' },
    cure: 'Separate the names by dots, and quote a name that contains a dot: `hosts."a.b".system`.',
  });
}
