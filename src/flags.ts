import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UserError } from './errors.ts';
import type { Input } from './input.ts';
import { type Group, inputs, namesOf, unknownInput } from './inputs.ts';

/** The parsed arguments of a command. */
export interface Flags {
  /** By input name. For a secret, its text, read from the file that the flag or the variable gives. */
  inputs: Record<string, string>;
  /** Flags that exist only on the command line. */
  switches: Set<Switch>;
  /** Words that are not flags. */
  words: string[];
}

export const switches = { json: 'Print the result as JSON on standard output.', help: 'Show this text.' } as const;
export type Switch = keyof typeof switches;

type Tokens = NonNullable<ReturnType<typeof parseArgs<{ tokens: true; strict: false }>>['tokens']>;
type Token = Tokens[number];

/**
 * Reads flags that are named like the inputs: `--mode switch` or `--mode=switch`; `--comment` alone means true.
 *
 * A secret is never read from an argument, because every process of the machine can see the arguments: its flag names a
 * file (`-`: standard input), or the variable `FERRY_DEPLOY_KEY`, `FERRY_SIGNING_KEY` or `FERRY_GITHUB_TOKEN` holds it.
 *
 * @throws UserError for the first flag that is wrong.
 */
export function readFlags(
  args: readonly string[],
  allowed: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Flags {
  const flags: Flags = { inputs: secretsIn(env, allowed), switches: new Set(), words: [] };
  const tokens = tokensOf(args, allowed);
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.kind === 'positional') flags.words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    if (!rawName.startsWith('--') && name !== 'help') throw new UserError(`There is no flag ${rawName}.`);
    if (isSwitch(name)) {
      if (token.value !== undefined) throw new UserError(`--${name} takes no value.`);
      flags.switches.add(name);
      continue;
    }
    const declared = allowed.includes(name) ? inputs.get(name) : undefined;
    if (declared === undefined) throw unknownInput(name, [...allowed, ...Object.keys(switches)], flag => `--${flag}`);
    flags.inputs[name] = flagValue(name, declared, token.value ?? followingBoolean(declared, tokens));
  }
  return flags;
}

/** Not strict: our own errors suggest what was meant. */
function tokensOf(args: readonly string[], allowed: readonly string[]): Token[] {
  const options: NonNullable<Parameters<typeof parseArgs>[0]>['options'] = { help: { type: 'boolean', short: 'h' } };
  for (const name of [...allowed, ...Object.keys(switches)]) {
    const declared = inputs.get(name);
    const type = declared === undefined || isBoolean(declared) ? 'boolean' : 'string';
    options[name] = { ...options[name], type };
  }
  return parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens;
}

function isSwitch(name: string): name is Switch {
  return Object.hasOwn(switches, name);
}

function isBoolean(declared: Input<unknown>): boolean {
  return declared.default === 'false';
}

/** `--comment` alone means true, `--comment false` false. */
function followingBoolean(declared: Input<unknown>, tokens: Token[]): string | undefined {
  if (!isBoolean(declared)) return undefined;
  const [next] = tokens;
  if (next?.kind !== 'positional' || !['true', 'false'].includes(next.value)) return 'true';
  tokens.shift();
  return next.value;
}

function flagValue(name: string, { secret, long }: Input<unknown>, value: string | undefined): string {
  const where = { input: name };
  if (value === undefined) throw new UserError(`--${name} needs a value.`, { where });
  if (secret && /\n|PRIVATE KEY/.test(value)) {
    throw new UserError(`--${name} takes the name of a file, not the secret: other users can see arguments.`, {
      where,
      cure: `Write --${name} FILE, --${name} - for standard input, or set ${variableOf(name)}.`,
    });
  }
  if (secret) return readText(name, value);
  return long && value.startsWith('@') ? readText(name, value.slice(1)) : value;
}

function secretsIn(env: Readonly<Record<string, string | undefined>>, allowed: readonly string[]): Flags['inputs'] {
  const names = allowed.filter(name => inputs.get(name)?.secret === true && env[variableOf(name)]);
  return Object.fromEntries(names.map(name => [name, env[variableOf(name)] ?? '']));
}

function variableOf(name: string): string {
  return `FERRY_${name.toUpperCase().replaceAll('-', '_')}`;
}

function readText(name: string, file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UserError(`--${name}: ${file} cannot be read: ${(error as Error).message}.`, { where: { input: name } });
  }
}

/** Columns of a line of help, and where its descriptions begin. */
const width = 110;
const indent = 28;

/** The headings of `--help`, in their order. An input of several groups is listed in the first one. */
const headings: Record<Group, string> = {
  plan: 'Source and hosts',
  deploy: 'Deployment',
  preview: 'Preview',
  build: 'Building',
  setup: 'Nix and caches',
  archive: 'Making archives',
  fetch: 'Deploying existing archives',
  report: 'Report',
  targetSetup: 'Gate of the target',
};

/** The text of `--help` for one command. */
export function help(usage: string, about: string, allowed: readonly string[]): string {
  const shown = new Set<string>();
  const sections = (Object.keys(headings) as Group[]).map(group => {
    const names = namesOf(group).filter(name => allowed.includes(name) && !shown.has(name));
    for (const name of names) shown.add(name);
    return names.length === 0 ? '' : `${headings[group]}:\n${names.map(inputRow).join('\n')}\n\n`;
  });
  const general = Object.entries(switches).map(([name, text]) => row(`  --${name}`, text));
  return `${usage}\n\n${about}\n\n${sections.join('')}General:\n${general.join('\n')}\n`;
}

function inputRow(name: string): string {
  const { default: fallback, description, words, secret } = inputs.get(name) as Input<unknown>;
  const value = secret ? 'FILE' : words.length > 0 ? words.join('|') : fallback === 'false' ? '' : 'VALUE';
  const said = fallback === '' || fallback === 'false' || secret ? '' : ` Default: ${fallback}`;
  return row(`  --${name} ${value}`.trimEnd(), `${description.replaceAll('`', '')}${said}`);
}

/** A flag and its description, in lines of `width`. */
function row(flag: string, description: string): string {
  const lines = [''];
  for (const word of description.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (indent + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const below = lines.map(line => ' '.repeat(indent) + line);
  if (flag.length > indent - 2) return [flag, ...below].join('\n');
  return [flag.padEnd(indent) + lines[0], ...below.slice(1)].join('\n');
}
