import { archiveInputs, fetchInputs } from './archive/inputs.ts';
import { buildInputs } from './build/inputs.ts';
import { deployInputs } from './deploy/inputs.ts';
import { UserError } from './errors.ts';
import { type Input, type Inputs, kebabCase, type Values } from './input.ts';
import { nearest } from './nearest.ts';
import { planInputs } from './plan/inputs.ts';
import { previewInputs } from './preview/inputs.ts';
import { reportInputs } from './report/inputs.ts';
import { setupInputs } from './setup/inputs.ts';
import { targetSetupInputs } from './target-setup/inputs.ts';

/**
 * Every input of the action, which is every flag of the command line, by the stage that gets it. Each group is declared
 * in the folder of its stage. `action.yml`, the README's table, flags and `--help` are derived from this value.
 *
 * An input that several stages get is one declaration listed in several groups.
 */
export const inputGroups = {
  plan: planInputs,
  build: buildInputs,
  deploy: deployInputs,
  preview: previewInputs,
  archive: archiveInputs,
  fetch: fetchInputs,
  setup: setupInputs,
  report: reportInputs,
  targetSetup: targetSetupInputs,
};
export type Group = keyof typeof inputGroups;

/** All inputs, read and checked, by group. */
export type Config = { [G in Group]: Values<(typeof inputGroups)[G]> };

/** Every input by the name that users write. */
export const inputs: ReadonlyMap<string, Input<unknown>> = merge(Object.values(inputGroups));

/** The names that users write of the inputs in these groups. */
export function namesOf(...groups: readonly Group[]): string[] {
  return [...merge(groups.map(group => inputGroups[group])).keys()];
}

function merge(groups: readonly Inputs[]): Map<string, Input<unknown>> {
  const merged = new Map<string, Input<unknown>>();
  for (const [key, declared] of groups.flatMap(group => Object.entries(group))) {
    const name = kebabCase(key);
    if ((merged.get(name) ?? declared) !== declared) throw new Error(`the input ${name} is declared twice`);
    merged.set(name, declared);
  }
  return merged;
}

/**
 * Reads the given texts; an input that is missing or empty gets its default.
 *
 * @param given by the names that users write.
 * @param called what the user calls an input: `input 'mode'` or `--mode`.
 * @param allowed the names that may be given.
 * @throws UserError for the first text that is wrong, with its name, what is accepted and the nearest match.
 */
export function readInputs(
  given: Readonly<Record<string, string | undefined>>,
  called: (name: string) => string,
  allowed: readonly string[] = [...inputs.keys()],
): Config {
  for (const name of Object.keys(given)) {
    if (!allowed.includes(name)) throw unknownInput(name, allowed, called);
  }
  const values = new Map<string, unknown>();
  for (const [name, declared] of inputs) values.set(name, readOne(name, declared, given[name], called));
  const config = Object.fromEntries(
    Object.entries(inputGroups).map(([group, declared]) => [
      group,
      Object.fromEntries(Object.keys(declared).map(key => [key, values.get(kebabCase(key))])),
    ]),
  ) as Config;
  return checkTogether(config, called);
}

function readOne(
  name: string,
  { read, default: fallback }: Input<unknown>,
  text: string | undefined,
  called: (name: string) => string,
): unknown {
  try {
    return read(text !== undefined && text.trim() !== '' ? text : fallback);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const details = error.cure === undefined ? {} : { cure: error.cure };
    // A message that names its place itself (`targets.pi.port`) is left as it is.
    const message = error.where === undefined ? `${called(name)}: ${error.message}` : error.message;
    throw new UserError(message, { where: { input: name }, ...details });
  }
}

/** The error for a name that is not in `allowed`, with the one that was most likely meant. */
export function unknownInput(name: string, allowed: readonly string[], called: (name: string) => string): UserError {
  const where = { input: name };
  if (inputs.has(name)) {
    const cure = `Accepted here: ${allowed.join(', ')}.`;
    return new UserError(`${called(name)} is not accepted here; other steps accept it.`, { where, cure });
  }
  const meant = nearest(name, allowed);
  const cure = meant === null ? `Accepted: ${allowed.join(', ')}.` : `Did you mean ${called(meant)}?`;
  return new UserError(`There is no ${called(name)}.`, { where, cure });
}

/** The inputs that the runner passes as `INPUT_<NAME>`: upper case, with dashes (actions/runner). */
export function inputsOfRunner(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([key, value]) => key.startsWith('INPUT_') && value !== undefined && value !== '')
      .map(([key, value]) => [key.slice('INPUT_'.length).toLowerCase(), value ?? '']),
  );
}

function checkTogether(config: Config, called: (name: string) => string): Config {
  const { from, trustedPublicKeys, signingKey, allowUnsigned } = config.fetch;
  if (from !== null && trustedPublicKeys.length === 0 && signingKey === null && !allowUnsigned) {
    throw new UserError(
      `${called('from')} needs ${called('trusted-public-keys')}, which says who may have made the archives.`,
      {
        where: { input: 'trusted-public-keys' },
        cure: 'Write the public half of the `signing-key` that signed them. If you trust everyone who can upload artifacts, set `allow-unsigned` to true.',
      },
    );
  }
  if (allowUnsigned && trustedPublicKeys.length > 0) {
    throw new UserError(`${called('allow-unsigned')} contradicts ${called('trusted-public-keys')}.`, {
      where: { input: 'allow-unsigned' },
      cure: 'Remove one of them.',
    });
  }
  if (from !== null && config.deploy.mode === 'preview') {
    throw new UserError(`${called('from')} has no effect with the mode \`preview\`, which compares what it builds.`, {
      where: { input: 'from' },
      cure: 'Remove it, or choose another mode.',
    });
  }
  if (config.report.comment && config.report.githubToken === null) {
    throw new UserError(`${called('comment')} needs ${called('github-token')}.`, {
      where: { input: 'github-token' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's, for the user to write
      cure: 'Write `github-token: ${{ github.token }}` and give the job the permission `pull-requests: write`.',
    });
  }
  return config;
}
