import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { input, list, mapping, oneOf, optional, secondsOrNone, type Values, verbatim } from '../input.ts';
import { formatNames } from './formats/index.ts';
import { parseTargetSettings } from './targets.ts';

export const planInputs = {
  source: input(
    '.',
    'Folder of the repository that holds the configuration, or its files, separated by commas or lines.',
    verbatim,
  ),
  format: input('auto', 'How the configuration is written; `auto` detects it.', oneOf('auto', ...formatNames)),
  attribute: input('', 'Attribute path, if the format needs one.', optional),
  arguments: input(
    '',
    'YAML: arguments of a NixOps network or of an expression that is a function, as with `--arg` and `--argstr`.',
    text => mapping(text, 'Write a line `name: value` for each argument.'),
    'long',
  ),
  /** Empty: all hosts. */
  hosts: input('', 'Names, globs and `@tags`, separated by commas or lines; `!x` excludes. All hosts if empty.', list),
  /** Null: found by evaluation. */
  system: input('', 'System of hosts whose configuration does not set it, such as `aarch64-linux`.', readSystem),
  nixpkgs: input(
    '',
    'Pinned nixpkgs for a source without one: a locked flake reference, or a file of the source that pins it.',
    optional,
  ),
  nixpkgsPin: input('error', 'How to treat an unpinned nixpkgs: `error` or `warn`.', oneOf('error', 'warn')),
  allowedPaths: input(
    '',
    'Files and folders outside the repository that an evaluation may read, separated by commas or lines. Plans are then not kept.',
    text => list(text).map(path => resolve(path)),
  ),
  planTimeout: input('0', 'Seconds for the evaluation of all hosts. `0`: no limit.', secondsOrNone),
  /** Host → `user@address:port` or a mapping; takes precedence over the source. */
  targets: input(
    '',
    'YAML: host to `user@address:port`, or to a mapping of settings. They override those of the source.',
    readTargets,
    'long',
  ),
};

export type PlanInputs = Values<typeof planInputs>;

function readSystem(text: string): string | null {
  const system = optional(text);
  if (system === null || /^\w+-linux$/.test(system)) return system;
  throw new UserError(`'${system}' is not a system that NixOS runs on.`, {
    cure: 'Write for example `x86_64-linux`, `aarch64-linux` or `armv7l-linux`.',
  });
}

/** Only checked here, before anything runs; the plan combines it with the source's own targets. */
function readTargets(text: string): Record<string, unknown> {
  const parsed = mapping(text, 'Write a line `host: user@address:port` for each host.');
  for (const [host, value] of Object.entries(parsed)) parseTargetSettings(value, `targets.${host}`);
  return parsed;
}
