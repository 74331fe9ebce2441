import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { KeptDigest } from '../deploy/secrets/digest.ts';
import type { ClosurePath, EtcEntry, MachineDescription, SystemDescription, UnitState } from './description.ts';

/** Why an answer is not a description. */
export class AnswerError extends Error {}

/** The most that an answer may become when it is decompressed, in bytes. */
const largest = 256 * 1024 * 1024;

const emptyHash = createHash('sha256').digest('hex');

const header = /^nix-ferry-description=1 (gzip|plain|refused)(.*)$/;

/**
 * Reads the answer of `target/describe.sh`.
 *
 * @returns null if the machine does not run NixOS.
 * @throws AnswerError if it is not such an answer, or was cut.
 */
export function readAnswer(answer: string): MachineDescription | null {
  const lines = answer.split('\n');
  // A target may print a greeting in every session.
  const start = lines.findIndex(line => header.test(line));
  const [, form = '', why = ''] = header.exec(lines[start] ?? '') ?? [];
  if (form === '') throw new AnswerError('The target did not describe itself.');
  if (form === 'refused') throw new AnswerError(`The target refused to describe itself${why}`);
  const body = lines.slice(start + 1);
  const records = form === 'gzip' ? unpack(body.join('')).split('\n') : body;
  return new Records(records).machine();
}

function unpack(base64: string): string {
  try {
    return gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: largest }).toString();
  } catch (cause) {
    throw new AnswerError('The description was cut or damaged on its way.', { cause });
  }
}

type Texts = Record<string, string>;

/** The records of an answer, by their kind. */
class Records {
  readonly #lines: readonly string[];
  #complete = false;
  readonly #words = new Map<string, string[]>();
  /** Kind → name → text. */
  readonly #texts = new Map<string, Texts>();

  constructor(lines: readonly string[]) {
    this.#lines = lines;
    for (let at = 0; at < lines.length; at++) {
      const [kind = '', rest = ''] = cut(lines[at] ?? '');
      if (kind === 'end') this.#complete = true;
      if (kind === 'file') at = this.#readFile(rest, at);
      else this.#add(kind, rest);
    }
    if (!this.#complete) throw new AnswerError('The description was cut.');
  }

  #add(kind: string, words: string): void {
    const known = this.#words.get(kind);
    if (known === undefined) this.#words.set(kind, [words]);
    else known.push(words);
  }

  /** @returns the number of its last line. */
  #readFile(words: string, start: number): number {
    const [kind, name] = cut(words);
    let end = start;
    while (this.#lines[end + 1]?.startsWith('|')) end++;
    const text = this.#lines.slice(start + 1, end + 1).map(line => `${line.slice(1)}\n`);
    const texts = this.#texts.get(kind) ?? {};
    texts[bare(name)] = text.join('');
    this.#texts.set(kind, texts);
    return end;
  }

  #all(kind: string): readonly string[] {
    return this.#words.get(kind) ?? [];
  }

  #one(kind: string): string {
    return this.#all(kind)[0] ?? '';
  }

  #text(kind: string): Texts {
    return this.#texts.get(kind) ?? {};
  }

  machine(): MachineDescription | null {
    const toplevel = this.#one('system');
    if (toplevel === '') return null;
    const booted = this.#side('booted');
    const pending = (list: string): string[] =>
      (this.#text('pending')[`/run/nixos/${list}-list`] ?? '').split('\n').filter(line => line !== '');
    return {
      system: this.#system(toplevel),
      booted: Object.keys(booted.parts).length === 0 ? null : booted,
      kernel: this.#one('kernel'),
      bootId: this.#one('bootid'),
      profile: this.#one('profile') || null,
      boot: this.#one('boot') || null,
      states: this.#states(),
      shadowed: this.#all('shadowed'),
      secrets: this.#secrets(),
      fstab: this.#text('fstab')['/etc/fstab'] ?? '',
      pending: { start: pending('start'), restart: pending('restart'), reload: pending('reload') },
    };
  }

  #system(toplevel: string): SystemDescription {
    const masked = Object.fromEntries(this.#all('masked').map(name => [bare(name), null]));
    const closure = this.#all('path').map((words): ClosurePath => {
      const [bytes, path] = cut(words);
      return { path, bytes: Number(bytes) };
    });
    const firewall = Object.values(this.#text('firewall')).flatMap(text => text.replace(/\n$/, '').split('\n'));
    const [users, groups] = [this.#all('user'), this.#all('group')];
    return {
      toplevel,
      closure: closure.length === 0 ? null : closure,
      ...this.#side('system'),
      units: { ...this.#text('unit'), ...masked },
      wants: this.#all('want').map(bare),
      etc: this.#etc(),
      users: users.length === 0 ? null : users,
      groups: groups.length === 0 ? null : groups,
      firewall: firewall.length === 0 ? null : firewall,
    };
  }

  /** The parts and files of one side. */
  #side(side: 'system' | 'booted'): Pick<SystemDescription, 'parts' | 'files'> {
    const parts = this.#all('part').flatMap(words => {
      const [which, rest] = cut(words);
      return which === side ? [cut(rest)] : [];
    });
    const files = Object.entries(this.#text('part')).filter(([name]) => name.startsWith(`${side}/`));
    return {
      parts: Object.fromEntries(parts),
      files: Object.fromEntries(files.map(([name, text]) => [name.slice(side.length + 1), text.trimEnd()])),
    };
  }

  #states(): Record<string, UnitState> {
    return Object.fromEntries(
      this.#all('state').map(words => {
        const [unit = '', active = '', sub = ''] = words.split(' ');
        return [unit, { active, sub }];
      }),
    );
  }

  #secrets(): KeptDigest[] {
    return this.#all('secret').map(words => {
      const [salt, rest] = cut(words);
      const [digest, destination] = cut(rest);
      return { salt, digest: digest === '-' ? null : digest, destination };
    });
  }

  #etc(): Record<string, EtcEntry> {
    const entries: Record<string, EtcEntry> = {};
    const entry = (name: string): EtcEntry => {
      entries[bare(name)] ??= { target: null, hash: null, text: null };
      return entries[bare(name)] as EtcEntry;
    };
    for (const words of this.#all('link')) {
      const [target, name] = cut(words);
      entry(name).target = target;
    }
    for (const words of this.#all('hash')) {
      const [hash, name] = cut(words);
      // GNU sha256sum separates with a blank and `*` or another blank.
      entry(name.replace(/^[ *]/, '')).hash = hash;
    }
    for (const [name, text] of Object.entries(this.#text('etc'))) entry(name).text = text;
    // A file without lines has no record.
    for (const each of Object.values(entries)) if (each.hash === emptyHash) each.text = '';
    return entries;
  }
}

/** The first word of a line, and the rest. */
function cut(line: string): [string, string] {
  const at = line.indexOf(' ');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

/** A name without the `./` of find. */
function bare(name: string): string {
  return name.startsWith('./') ? name.slice(2) : name;
}
