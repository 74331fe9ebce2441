import { readFileSync } from 'node:fs';
import { UserError } from './errors.ts';
import { type InputName, inputs, unknownInput } from './inputs.ts';

/** What the words after a command say. */
export interface Flags {
  /** By input name. A secret holds its text, read from the file or the variable that was named. */
  inputs: Record<string, string>;
  /** Flags of the command line alone. */
  switches: Set<Switch>;
  /** Words that are no flags. */
  words: string[];
}

export const switches = { json: 'Print the result as JSON on standard output.', help: 'Show this text.' } as const;
export type Switch = keyof typeof switches;

/** Inputs of many lines, whose value may be `@FILE`. */
const long: readonly InputName[] = ['arguments', 'known-hosts', 'targets', 'builders', 'nix-conf'];

/**
 * Reads flags named like the inputs: `--mode switch` or `--mode=switch`; `--comment` alone says true.
 *
 * A secret is never taken from the argument list, which every process of the machine can read: its flag names a file
 * (`-`: standard input), or the variable `FERRY_DEPLOY_KEY`, `FERRY_SIGNING_KEY`, `FERRY_GITHUB_TOKEN` holds it.
 *
 * @throws UserError for the first flag that is wrong.
 */
export function readFlags(
  args: readonly string[],
  allowed: readonly InputName[],
  env: Readonly<Record<string, string | undefined>>,
): Flags {
  const flags: Flags = { inputs: {}, switches: new Set(), words: [] };
  for (const name of allowed) {
    const value = inputs[name].secret ? env[`FERRY_${name.toUpperCase().replaceAll('-', '_')}`] : undefined;
    if (value !== undefined && value !== '') flags.inputs[name] = value;
  }
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '-h') flags.switches.add('help');
    else if (!arg.startsWith('--')) flags.words.push(arg);
    else {
      const [, name = '', inline] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
      if (name in switches) flags.switches.add(name as Switch);
      else {
        if (!(allowed as readonly string[]).includes(name)) {
          throw unknownInput(name, [...allowed, ...Object.keys(switches)], flag => `--${flag}`);
        }
        flags.inputs[name] = flagValue(name as InputName, inline, rest);
      }
    }
  }
  return flags;
}

function flagValue(name: InputName, inline: string | undefined, rest: string[]): string {
  const isSwitch = inputs[name].default === 'false';
  if (inline === undefined && isSwitch && !['true', 'false'].includes(rest[0] ?? '')) return 'true';
  const value = inline ?? rest.shift();
  if (value === undefined) throw new UserError(`--${name} needs a value.`, { where: { input: name } });
  if (inputs[name].secret) {
    if (/\n|PRIVATE KEY/.test(value)) {
      throw new UserError(`--${name} takes a file, not the secret: an argument list is no secret.`, {
        where: { input: name },
        cure: `Write --${name} FILE, --${name} - for standard input, or set FERRY_${name.toUpperCase().replaceAll('-', '_')}.`,
      });
    }
    return readText(name, value);
  }
  return long.includes(name) && value.startsWith('@') ? readText(name, value.slice(1)) : value;
}

function readText(name: string, file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UserError(`--${name}: ${file} cannot be read: ${(error as Error).message}.`, { where: { input: name } });
  }
}

/** The text of `--help` for one command. */
export function help(usage: string, about: string, allowed: readonly InputName[]): string {
  const rows = allowed.map(name => {
    const { default: fallback, description, words, secret } = inputs[name];
    const value = secret ? 'FILE' : words.length > 0 ? words.join('|') : fallback === 'false' ? '' : 'VALUE';
    const shown = fallback === '' || fallback === 'false' || secret ? '' : ` (${fallback})`;
    return [`  --${name} ${value}`.trimEnd(), `${description}${shown}`] as const;
  });
  for (const [name, about] of Object.entries(switches)) rows.push([`  --${name}`, about]);
  const lines = rows.map(([flag, text]) =>
    flag.length <= 28 ? `${flag.padEnd(30)}${text}` : `${flag}\n${' '.repeat(30)}${text}`,
  );
  return `${usage}\n\n${about}\n\n${lines.join('\n')}\n`;
}
