import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { inRepository } from './evaluation/diagnose.ts';
import type { Host, HostNix, Pin, Secret } from './fleet.ts';
import { type Deployment, layer, parseDeployment, targetOf } from './targets.ts';

/** What nix/glue.nix answers for a host. */
export interface Answer {
  name: string;
  system: string;
  drvPath: string;
  output: string;
  nixpkgs: string | null;
  nix: HostNix | null;
  /** The derivation of a package that holds the toplevel, which is yet to be found behind it. */
  wrapper: string | null;
  deployment: unknown;
}

/** The input `targets`, read; each host in it must be one of `names`. */
export function readTargets(
  targets: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, Deployment> {
  return Object.fromEntries(
    Object.entries(targets).map(([host, value]) => {
      if (!names.includes(host)) throw unknownHost(host, names, 'targets');
      return [host, parseDeployment(value, `targets.${host}`)];
    }),
  );
}

/** One error for a host that does not exist: it names the nearest and the known ones. */
export function unknownHost(host: string, names: readonly string[], input: string): UserError {
  const meant = nearest(host, names);
  return new UserError(`There is no host ${JSON.stringify(host)}.`, {
    where: { input },
    cure: `${meant === null ? '' : `Did you mean ${JSON.stringify(meant)}? `}Known hosts: ${names.join(', ')}.`,
  });
}

/** What the source says of a host's target, under what the input says. */
export function deploymentOf(
  said: unknown,
  host: string,
  given: Readonly<Record<string, Deployment>>,
): Deployment & { tags: string[] } {
  const own =
    said === null || said === undefined ? {} : parseDeployment(said, `the target of ${JSON.stringify(host)}`, 'source');
  const both = layer(own, given[host] ?? {});
  return { ...both, tags: both.tags ?? [] };
}

/**
 * What the source said, with the files of secrets relative to the source's folder where they lie in the repository, so that
 * it holds in another checkout too.
 *
 * @param roots folders that hold what the repository's root holds; the first is the work tree.
 */
export function portable(said: unknown, source: string, roots: readonly string[]): unknown {
  const { secrets } = (said ?? {}) as { secrets?: Secret[] };
  if (!Array.isArray(secrets)) return said ?? null;
  const moved = secrets.map(secret => {
    if (!('file' in secret.source)) return secret;
    const inside = inRepository({ file: secret.source.file, line: 1, column: 1 }, roots);
    if (!isAbsolute(secret.source.file) || inside === null) return secret;
    return { ...secret, source: { file: relative(source, join(roots[0] ?? source, inside.file)) } };
  });
  return { ...(said as object), secrets: moved };
}

/** A host of the plan. Files of secrets that are not absolute lie in `source`, the source's folder. */
export function hostOf(
  answer: Answer,
  given: Readonly<Record<string, Deployment>>,
  nixpkgs: Pin | null,
  source: string,
  context: Context,
): Host {
  const deployment = deploymentOf(answer.deployment, answer.name, given);
  const secrets = (deployment.secrets ?? []).map(secret =>
    'file' in secret.source ? { ...secret, source: { file: resolve(source, secret.source.file) } } : secret,
  );
  for (const { source } of secrets) if ('text' in source) context.log.secret(source.text);
  return {
    name: answer.name,
    system: answer.system,
    toplevel: { drvPath: answer.drvPath, outPath: answer.output },
    target: targetOf(deployment),
    tags: deployment.tags,
    buildOnly: deployment.address === false,
    healthChecks: { cmd: [], http: [], ...deployment.healthChecks },
    preDeployChecks: { cmd: [], http: [], ...deployment.preDeployChecks },
    secrets,
    nixpkgs,
    nix: answer.nix,
  };
}
