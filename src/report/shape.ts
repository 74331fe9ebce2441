/** Why a value does not have the shape that was expected. */
export class ShapeError extends Error {
  override name = 'ShapeError';
}

/**
 * Reads a value of JSON that may be anything. What it returns has only what the shape names, and no more of it than its limits
 * allow.
 *
 * @param place where the value is, for the error.
 * @throws ShapeError
 */
export type Shape<T> = (value: unknown, place: string) => T;

function wrong(place: string, expected: string): ShapeError {
  return new ShapeError(`${place === '' ? 'it' : place} is not ${expected}`);
}

/** @param longest characters. */
export function textOf(longest: number): Shape<string> {
  return (value, place) => {
    if (typeof value === 'string' && value.length <= longest) return value;
    throw wrong(place, `a text of at most ${longest} characters`);
  };
}

/** A text that matches from its beginning to its end. */
export function matching(form: RegExp, expected: string): Shape<string> {
  return (value, place) => {
    if (typeof value === 'string' && form.test(value)) return value;
    throw wrong(place, expected);
  };
}

export const number: Shape<number> = (value, place) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrong(place, 'a whole number');
};

export const truth: Shape<boolean> = (value, place) => {
  if (typeof value === 'boolean') return value;
  throw wrong(place, 'true or false');
};

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, place) => (value === null ? null : shape(value, place));
}

export function one<const T extends string | number | boolean>(...accepted: readonly T[]): Shape<T> {
  return (value, place) => {
    const found = accepted.find(each => each === value);
    if (found !== undefined) return found;
    throw wrong(place, `one of ${accepted.join(', ')}`);
  };
}

/** @param most entries. */
export function listOf<T>(shape: Shape<T>, most: number): Shape<T[]> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > most) throw wrong(place, `a list of at most ${most} entries`);
    return value.map((each, index) => shape(each, `${place}[${index}]`));
  };
}

/** An object with exactly these properties; others are left out. */
export function objectOf<T extends object>(shapes: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, 'an object');
    const given = value as Record<string, unknown>;
    const names = Object.keys(shapes) as (keyof T & string)[];
    const read = names.map(name => {
      const found = Object.hasOwn(given, name) ? given[name] : undefined;
      return [name, shapes[name](found, place === '' ? name : `${place}.${name}`)] as const;
    });
    return Object.fromEntries(read) as T;
  };
}
