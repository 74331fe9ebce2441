import { isAbsolute, join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { inRepository } from './evaluation/places.ts';
import type { Host, HostNix, Pin, Secret } from './fleet.ts';
import { SecretText } from './secret-text.ts';
import { layer, overridesOf, parseTargetSettings, type TargetSettings, targetOf, unusable } from './targets.ts';

/** A host's evaluation, as nix/glue.nix returns it. */
export interface EvaluatedHost {
  name: string;
  system: string;
  drvPath: string;
  output: string;
  nixpkgs: string | null;
  nix: HostNix | null;
  /** The derivation of a package that contains the toplevel, if the source defines only the package; `wrapper.ts` unwraps it. */
  wrapper: string | null;
  deployment: unknown;
}

/** The settings of a host's target and, if it is selected, the whole host. */
export type TaggedHost = Pick<EvaluatedHost, 'name' | 'deployment'> & Partial<EvaluatedHost>;

/** Reads the input `targets`. @throws UserError for a host that is not one of `names`. */
export function readTargets(
  targets: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, TargetSettings> {
  return Object.fromEntries(
    Object.entries(targets).map(([host, value]) => {
      if (!names.includes(host)) throw unknownHost(host, names, 'targets');
      return [host, parseTargetSettings(value, `targets.${host}`)];
    }),
  );
}

/** The error for a host that does not exist, with the most similar name and all known names. */
export function unknownHost(host: string, names: readonly string[], input: string): UserError {
  const meant = nearest(host, names);
  return new UserError(`There is no host ${JSON.stringify(host)}.`, {
    where: { input },
    cure: `${meant === null ? '' : `Did you mean ${JSON.stringify(meant)}? `}Known hosts: ${names.join(', ')}.`,
  });
}

/** A host's target: the settings of the input `targets` override those of the source. */
export function targetSettingsOf(
  fromSource: unknown,
  host: string,
  targets: Readonly<Record<string, TargetSettings>>,
): TargetSettings & { tags: string[] } {
  const own =
    fromSource === null || fromSource === undefined
      ? {}
      : parseTargetSettings(fromSource, `the target of ${JSON.stringify(host)}`, 'source');
  const both = layer(own, targets[host] ?? {});
  return { ...both, tags: both.tags ?? [] };
}

/**
 * A source's settings for a target, valid in every checkout: files of secrets inside the repository become relative to the
 * source's folder. Texts of secrets become SecretText.
 *
 * @param roots folders with the contents of the repository's root; the first is the work tree.
 */
export function portable(settings: unknown, source: string, roots: readonly string[]): unknown {
  const { secrets } = (settings ?? {}) as { secrets?: Secret[] };
  if (!Array.isArray(secrets)) return settings ?? null;
  const moved = secrets.map(secret => {
    if ('text' in secret.source) return { ...secret, source: { text: new SecretText(String(secret.source.text)) } };
    if (!('file' in secret.source)) return secret;
    const inside = inRepository({ file: secret.source.file }, roots);
    if (!isAbsolute(secret.source.file) || inside === null) return secret;
    return { ...secret, source: { file: relative(source, join(roots[0] ?? source, inside.file)) } };
  });
  return { ...(settings as object), secrets: moved };
}

/** A host of the plan. @param folder the source's folder, which relative files of secrets start from. */
export function hostOf(
  evaluated: EvaluatedHost,
  nixpkgs: Pin | null,
  targets: Readonly<Record<string, TargetSettings>>,
  folder: string,
): Host {
  const settings = targetSettingsOf(evaluated.deployment, evaluated.name, targets);
  const problem = unusable(settings);
  return {
    name: evaluated.name,
    system: evaluated.system,
    toplevel: { drvPath: evaluated.drvPath, outPath: evaluated.output },
    target: problem === null ? targetOf(settings) : null,
    unusable: problem,
    tags: settings.tags,
    buildOnly: settings.address === false,
    healthChecks: { cmd: [], http: [], ...settings.healthChecks },
    preDeployChecks: { cmd: [], http: [], ...settings.preDeployChecks },
    secrets: (settings.secrets ?? []).map(secret => ({ ...secret, source: sourceIn(folder, secret.source) })),
    overrides: overridesOf(settings),
    nixpkgs,
    nix: evaluated.nix,
  };
}

/** Where a secret is read, independent of the current directory. */
function sourceIn(folder: string, source: Secret['source']): Secret['source'] {
  if ('file' in source) return { file: resolve(folder, source.file) };
  return 'command' in source ? { command: source.command, folder } : source;
}
