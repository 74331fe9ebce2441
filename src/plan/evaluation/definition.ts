import { codeOf } from '../pins/scan.ts';

/** The option that a message of the module system is about, as its names; null if it names none. */
export function optionIn(message: string): string[] | null {
  const [, option] = /\b(?:option|option definition|attribute) [`'](.+?)'(?=[\s.,:;]|$)/.exec(message) ?? [];
  if (option === undefined) return null;
  // The type of a list or set appends the place in a definition: `[definition 1-entry 2]`.
  const names = option.replace(/\.?"?\[definition .*$/, '').match(/"[^"]*"|[^."]+/g) ?? [];
  return names.map(name => name.replace(/^"(.*)"$/, '$1'));
}

/**
 * Where a Nix file most likely defines an option: `a.b.c =`, or `c =` after `a`, or else a set that contains it.
 *
 * @param names of the option, for example `networking`, `hostName`.
 * @returns the offset in the text; null if the file does not define it by name, or does so in several places.
 */
export function definitionIn(text: string, names: readonly string[]): number | null {
  const code = codeOf(text);
  for (let end = names.length; end > 0; end--) {
    for (let start = 0; start < end; start++) {
      const outer = start === 0 ? null : (names[0] ?? null);
      const [at, other] = assignments(code, names.slice(start, end), end === names.length, outer);
      if (at !== undefined) return other === undefined ? at : null;
    }
  }
  return null;
}

/**
 * The offsets of `a.b =` in a file's code, after the name `outer` if it is given.
 *
 * @param whole whether the names are the end of the option; `a.b.… =` then defines a part of it.
 */
function assignments(code: string, names: readonly string[], whole: boolean, outer: string | null): number[] {
  const from = outer === null ? 0 : code.search(nameOf([outer]));
  if (from < 0) return [];
  const defined = new RegExp(`${nameOf(names).source}(?=\\s*(?:=(?!=)${whole ? '|\\.' : ''}))`, 'g');
  return Array.from(code.matchAll(defined), ({ index }) => index).filter(index => index >= from);
}

/** A path of names, with blanks around its dots; it may follow another path, such as `config` or the name of a host. */
function nameOf(names: readonly string[]): RegExp {
  const escaped = names.map(name => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![\\w'-])${escaped.join('\\s*\\.\\s*')}(?![\\w'-])`);
}
