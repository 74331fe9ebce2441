import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Nix } from '../nix/index.ts';
import { type Adapter, ask } from './adapter.ts';
import type { PlanConfig } from './config.ts';
import { evaluationFailure, sourceFailure } from './diagnose.ts';
import { type Budget, evaluate } from './evaluate.ts';
import { flakeAdapter } from './flake.ts';
import type { Fleet, Host, HostNix, Secret } from './fleet.ts';
import { repositoryOf } from './git.ts';
import { needsTags, select } from './select.ts';
import { type Deployment, layer, parseDeployment, targetOf } from './targets.ts';

export type { PlanConfig } from './config.ts';
export { select } from './select.ts';
export { parseDeployment, targetOf } from './targets.ts';

/** What nix/glue.nix answers for a host. */
interface Answer {
  name: string;
  system: string;
  drvPath: string;
  output: string;
  nixpkgs: string | null;
  nix: HostNix | null;
  deployment: unknown;
}

interface Names {
  names: string[];
  root: string;
}

/**
 * Plans a fleet: finds the source's format, evaluates the selected hosts and says where each runs.
 *
 * Every host's derivation is instantiated: its .drv file exists in the store afterwards.
 *
 * @throws UserError for a source that cannot be read as a whole, a selector or target that meets no host.
 */
export async function plan(config: PlanConfig, nix: Nix, context: Context): Promise<Fleet> {
  const repository = await repositoryOf(config.source, context.exec);
  const adapter = await flakeAdapter('flake', config.source, repository, nix, context);
  const fallback = { file: 'flake.nix' };
  const { names, root } = await namesOf(adapter, nix, context, failure =>
    sourceFailure(failure, adapter.roots, fallback),
  );
  const roots = [...adapter.roots, root];
  const onSource = (failure: Parameters<typeof sourceFailure>[0]): Error => sourceFailure(failure, roots, fallback);
  const budget: Budget = { jobs: config.jobs ?? null, memory: config.memory ?? null };

  for (const host of Object.keys(config.targets)) knownHost(host, names);
  const given = Object.fromEntries(
    Object.entries(config.targets).map(([host, value]) => [host, parseDeployment(value, `targets.${host}`)]),
  );
  let tags: (host: string) => string[] = () => [];
  if (needsTags(config.hosts)) {
    const { hosts } = await evaluate<{ name: string; deployment: unknown }>(
      adapter,
      'deployments',
      names,
      budget,
      nix,
      context,
      onSource,
    );
    const known = new Map(
      hosts.map(one => [one.host, 'answer' in one ? deploymentOf(one.answer.deployment, one.host, given).tags : []]),
    );
    tags = host => known.get(host) ?? [];
  }
  const selected = select(names, config.hosts, tags);
  const { hosts } = await evaluate<Answer>(adapter, 'hosts', selected, budget, nix, context, onSource);
  return {
    format: 'flake',
    detected: null,
    source: config.source,
    commit: repository?.commit ?? null,
    dirty: repository?.dirty ?? false,
    hosts: hosts.flatMap(one => ('answer' in one ? [hostOf(one.answer, given, context)] : [])),
    failures: hosts.flatMap(one => ('failure' in one ? [evaluationFailure(one.host, one.failure, roots)] : [])),
  };
}

async function namesOf(
  adapter: Adapter,
  nix: Nix,
  context: Context,
  onSource: (failure: Parameters<typeof sourceFailure>[0]) => Error,
): Promise<Names> {
  const { result, failure } = await ask(adapter, 'names', { hosts: [] }, nix, context);
  if (failure !== null) throw onSource(failure);
  return result as Names;
}

function knownHost(host: string, names: readonly string[]): void {
  if (names.includes(host)) return;
  const meant = nearest(host, names);
  throw new UserError(`\`targets\` names ${JSON.stringify(host)}, which is no host of the source.`, {
    where: { input: 'targets' },
    cure: `${meant === null ? '' : `Did you mean ${JSON.stringify(meant)}? `}Known hosts: ${names.join(', ')}.`,
  });
}

function deploymentOf(
  said: unknown,
  host: string,
  given: Readonly<Record<string, Deployment>>,
): Deployment & { tags: string[] } {
  const own = said === null ? {} : parseDeployment(said, `ferry.${host}`);
  const both = layer(own, given[host] ?? {});
  return { ...both, tags: both.tags ?? [] };
}

function hostOf(answer: Answer, given: Readonly<Record<string, Deployment>>, context: Context): Host {
  const deployment = deploymentOf(answer.deployment, answer.name, given);
  const secrets: Secret[] = deployment.secrets ?? [];
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
    nixpkgs: null,
    nix: answer.nix,
  };
}
