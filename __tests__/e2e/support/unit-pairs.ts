import type { UnitFiles } from './unit-cases.ts';

/** Two or three units before and after a change, made at random. */
export interface UnitPair {
  name: string;
  before: UnitFiles;
  after: UnitFiles;
  /** Units that are started before the switch. */
  start: string[];
}

/** A source of numbers that gives the same ones for the same seed: mulberry32. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with this probability. */
  sometimes(probability: number): boolean {
    return this.next() < probability;
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** A unit file in the making: section → lines `KEY=VALUE`. */
type Draft = Map<string, string[]>;

/** What may be in a unit and may change: section, key, values. All of them are harmless to a unit that runs. */
const properties: readonly (readonly [string, string, readonly string[]])[] = [
  ['Unit', 'Description', ['one', 'two', '"quoted"', 'quoted']],
  ['Unit', 'Documentation', ['man:one(1)', 'man:two(1)']],
  ['Unit', 'OnFailure', ['one.target', 'two.target']],
  ['Unit', 'After', ['one.target', 'two.target', '']],
  ['Unit', 'Before', ['one.target', 'two.target']],
  ['Unit', 'Wants', ['one.target', 'two.target']],
  ['Unit', 'X-Reload-Triggers', ['1', '2']],
  ['Unit', 'X-Restart-Triggers', ['1', '2']],
  ['Unit', 'X-StopOnRemoval', ['false', 'true']],
  ['Unit', 'X-OnlyManualStart', ['yes', 'no']],
  ['Unit', 'RefuseManualStop', ['no', 'yes']],
  ['Unit', 'CollectMode', ['inactive', 'inactive-or-failed']],
  ['Unit', 'SourcePath', ['/etc/one', '/etc/two']],
  ['Install', 'Alias', ['alias-one.service', 'alias-two.service']],
];
const ofServices: typeof properties = [
  ['Service', 'Environment', ['A=1', 'A=2', '"A=1"', '"B=1" "C=2"', '']],
  ['Service', 'Nice', ['5', '6']],
  ['Service', 'ExecReload', ['/bin/true', '/bin/true one']],
  ['Service', 'X-RestartIfChanged', ['false', 'true', '0', 'on']],
  ['Service', 'X-StopIfChanged', ['false', 'true', 'no']],
  ['Service', 'X-ReloadIfChanged', ['true', 'false', 'yes']],
  ['Service', 'X-NotSocketActivated', ['true', 'false']],
];

/** Changes of one draft, at random: properties come, go and get other values. */
function vary(draft: Draft, random: Random, list: typeof properties): Draft {
  const varied = new Map([...draft].map(([section, lines]) => [section, [...lines]]));
  for (let changes = random.below(3); changes > 0; changes--) {
    const [section, key, values] = random.one(list);
    const lines = (varied.get(section) ?? []).filter(line => !line.startsWith(`${key}=`) || random.sometimes(0.2));
    if (random.sometimes(0.75)) lines.push(`${key}=${random.one(values)}`);
    varied.set(section, random.sometimes(0.1) ? lines.reverse() : lines);
    if (lines.length === 0 && random.sometimes(0.5)) varied.delete(section);
  }
  return varied;
}

function textOf(draft: Draft): string {
  return [...draft].map(([section, lines]) => `[${section}]\n${lines.map(line => `${line}\n`).join('')}`).join('');
}

const run = 'ExecStart=/bin/sleep infinity';

/** Writes a unit with its file before and after the change; it may be gone, masked, or have a drop-in. */
class Pair implements UnitPair {
  readonly name: string;
  readonly before: Record<string, string | null> = {};
  readonly after: Record<string, string | null> = {};
  readonly start: string[] = [];
  readonly #random: Random;

  constructor(name: string, random: Random) {
    this.name = name;
    this.#random = random;
  }

  /** @param stays whether the unit must exist afterwards, since others need it. */
  add(file: string, base: Draft, list: typeof properties, stays = false): void {
    const random = this.#random;
    const before = vary(base, random, list);
    const after = random.sometimes(0.3) ? before : vary(before, random, list);
    this.before[file] = textOf(before);
    if (stays || !random.sometimes(0.12)) this.after[file] = textOf(after);
    else if (random.sometimes(0.4)) this.after[file] = null;
    if (random.sometimes(0.25)) this.addDropin(`${file}.d/10-more.conf`, list);
  }

  addDropin(name: string, list: typeof properties): void {
    const random = this.#random;
    const [before, after] = [vary(new Map(), random, list), vary(new Map(), random, list)];
    if (random.sometimes(0.8)) this.before[name] = textOf(before);
    if (random.sometimes(0.8)) this.after[name] = random.sometimes(0.5) ? textOf(before) : textOf(after);
  }
}

type Kind = (pair: Pair, name: string, random: Random) => void;

const services = [...properties, ...ofServices];
const daemon = (...more: string[]): Draft => new Map([['Service', [run, ...more]]]);

const kinds: readonly Kind[] = [
  function service(pair, name, random) {
    pair.add(`${name}.service`, daemon(), services);
    if (random.sometimes(0.85)) pair.start.push(`${name}.service`);
  },
  function socketActivated(pair, name, random) {
    const named = random.sometimes(0.3) ? [`Sockets=${name}-other.socket`] : [];
    const socket = named.length > 0 ? `${name}-other.socket` : `${name}.socket`;
    const section = [`ListenStream=/run/${name}`, `Service=${name}.service`];
    pair.add(`${name}.service`, daemon(...named), services, true);
    pair.add(socket, new Map([['Socket', section]]), properties, random.sometimes(0.7));
    pair.start.push(socket);
    if (random.sometimes(0.7)) pair.start.push(`${name}.service`);
  },
  function timer(pair, name, random) {
    const when = (days: number): Draft => new Map([['Timer', [`OnBootSec=${days}d`]]]);
    pair.add(`${name}.timer`, when(7), [...properties, ['Timer', 'OnBootSec', ['7d', '8d']]]);
    pair.add(`${name}.service`, daemon(), services, true);
    if (random.sometimes(0.9)) pair.start.push(`${name}.timer`);
  },
  function template(pair, name, random) {
    pair.add(`${name}@.service`, daemon(), services);
    pair.addDropin(`${name}@a.service.d/overrides.conf`, services);
    pair.start.push(`${name}@a.service`);
    if (random.sometimes(0.6)) pair.start.push(`${name}@b.service`);
  },
  function target(pair, name) {
    const flags: typeof properties = [
      ['Unit', 'X-StopOnReconfiguration', ['true', 'false']],
      ['Unit', 'RefuseManualStart', ['false', 'yes']],
    ];
    pair.add(`${name}.target`, new Map(), [...properties, ...flags, ...flags]);
    pair.start.push(`${name}.target`);
  },
  function mount(pair, name) {
    const place = `/mnt/${name}`;
    const section = ['What=tmpfs', `Where=${place}`, 'Type=tmpfs'];
    pair.add(`mnt-${name}.mount`, new Map([['Mount', section]]), [
      ...properties,
      ['Mount', 'Options', ['size=1m', 'size=2m']],
      ['Mount', 'DirectoryMode', ['0755', '0750']],
    ]);
    pair.start.push(`mnt-${name}.mount`);
  },
  function pathUnit(pair, name) {
    pair.add(`${name}.path`, new Map([['Path', [`PathExists=/none/${name}`]]]), properties);
    pair.add(`${name}.service`, daemon(), services, true);
    pair.start.push(`${name}.path`);
  },
  function slice(pair, name) {
    pair.add(`${name}.slice`, new Map([['Slice', ['CPUWeight=50']]]), [
      ...properties,
      ['Slice', 'CPUWeight', ['60', '70']],
    ]);
    pair.start.push(`${name}.slice`);
  },
];

/** Pairs of two or three units each; no two pairs share a unit. */
export function generatePairs(seed: number, count: number): UnitPair[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const pair = new Pair(`pair ${index}`, random);
    for (let unit = 2 + random.below(2); unit > 0; unit--) {
      // Services are most of what a system has.
      const kind = random.sometimes(0.4) ? kinds[0] : random.one(kinds);
      kind?.(pair, `p${index}u${unit}`, random);
    }
    return pair;
  });
}

/** Two versions of fstab and of systemd's settings for a batch of pairs. */
export function generateMachineFiles(seed: number): Record<'before' | 'after', Record<string, string>> {
  const random = new Random(seed);
  const options = ['noauto', 'noauto,size=1m', 'noauto,x-systemd.automount'];
  const line = (place: string): string =>
    `${random.one(['tmpfs', 'other'])} ${place} tmpfs ${random.one(options)} 0 0\n`;
  const places = ['/mnt/f1', '/mnt/f-2', '/mnt/f3/deep', '/nix', '/'];
  const fstab = (): string =>
    places.map(place => (random.sometimes(0.8) ? line(place) : '')).join('') +
    (random.sometimes(0.5) ? '/swapfile none swap noauto 0 0\n' : '');
  const settings = (): string => `[Manager]\nLogLevel=${random.one(['info', 'notice'])}\n`;
  const files = (): Record<string, string> => ({ fstab: fstab(), 'systemd/system.conf': settings() });
  return { before: files(), after: files() };
}
