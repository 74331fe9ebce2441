/** Section → key → values. */
export type UnitInfo = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** A unit file that switch-to-configuration cannot read: it then ends with an error, before it changes anything. */
export class UnparsableUnit extends Error {
  readonly file: string;

  constructor(file: string, why: string) {
    super(`${file}: ${why}`);
    this.file = file;
  }
}

/** A file with its name, for the error. */
export interface NamedText {
  name: string;
  text: string;
}

/**
 * Reads a unit file and its drop-ins, in their order, as switch-to-configuration does: with the crate rust-ini 0.21 (quotes
 * are removed, backslashes mean nothing) and `parse_systemd_ini` of switch-to-configuration-ng.
 *
 * @throws UnparsableUnit
 */
export function readUnit(files: readonly NamedText[]): UnitInfo {
  const unit = new Map<string, Map<string, string[]>>();
  for (const file of files) {
    for (const { section, entries } of new Parser(file).sections()) {
      if (section === 'Install') continue;
      const keys = unit.get(section) ?? new Map<string, string[]>();
      unit.set(section, keys);
      // For a key that is given n times, all its n values are added n times: of two drop-ins with one value each, this makes
      // something else than of one with both.
      for (const [key] of entries) addValues(keys, key, entries);
    }
  }
  return unit;
}

function addValues(keys: Map<string, string[]>, key: string, entries: readonly (readonly [string, string])[]): void {
  const values = entries.filter(([other]) => other === key).map(([, value]) => value);
  // An empty value removes earlier ones.
  const cleared = values.lastIndexOf('');
  const added = values.slice(cleared + 1);
  keys.set(key, [...(cleared === -1 ? (keys.get(key) ?? []) : []), ...added]);
}

interface Section {
  section: string;
  entries: [string, string][];
}

const blank = /\s/;

class Parser {
  readonly #name: string;
  readonly #text: string;
  #at = 0;

  constructor({ name, text }: NamedText) {
    this.#name = name;
    this.#text = text;
  }

  sections(): Section[] {
    const sections: Section[] = [];
    let key = '';
    for (this.#skip(blank); this.#at < this.#text.length; this.#skip(blank)) {
      const char = this.#text[this.#at] ?? '';
      if (char === ';' || char === '#') this.#comment();
      else if (char === '[') sections.push({ section: this.#bracketed(), entries: [] });
      else if (char === '=' || char === ':') {
        if (key === '') throw this.#error('a key is missing');
        const value = this.#value();
        // Keys before the first section have no effect.
        sections.at(-1)?.entries.push([key, value]);
        key = '';
      } else key = this.#until(/[=:]/, '`=` is missing').trim();
    }
    return sections;
  }

  #skip(what: RegExp): void {
    while (this.#at < this.#text.length && what.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #comment(): void {
    if (this.#at > 0 && this.#text[this.#at - 1] !== '\n') throw this.#error('a comment is indented');
    this.#line();
  }

  #bracketed(): string {
    this.#at++;
    const name = this.#until(/\]/, '`]` is missing');
    this.#at++;
    return name.trim();
  }

  #value(): string {
    this.#at++;
    this.#skip(/[^\S\n\r]/);
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return this.#line().trim();
    this.#at++;
    const quoted = this.#until(quote === '"' ? /"/ : /'/, 'a quotation mark is not closed');
    this.#at++;
    return (quoted + this.#line()).trim();
  }

  /** The rest of the line. */
  #line(): string {
    const end = this.#text.slice(this.#at).search(/[\n\r]/);
    const line = end === -1 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + end);
    this.#at += line.length;
    return line;
  }

  #until(what: RegExp, missing: string): string {
    const length = this.#text.slice(this.#at).search(what);
    if (length === -1) throw this.#error(missing);
    const found = this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
    return found;
  }

  #error(why: string): UnparsableUnit {
    return new UnparsableUnit(this.#name, why);
  }
}
