import { join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure } from '../errors.ts';
import { systemsOf } from '../nix/derivation.ts';
import type { Nix, PathInfo } from '../nix/index.ts';
import { type LogEvent, parseLogLine } from '../nix/log.ts';
import type { Fleet, Host } from '../plan/fleet.ts';
import { localSystem } from '../setup/systems.ts';
import type { Built, SourcePlace } from './built.ts';
import { placeOfHash } from './hash-place.ts';
import type { BuildInputs } from './inputs.ts';
import { BuildWatch } from './watch.ts';
import type { BuildWork } from './work.ts';

export type { BuildFailure, Built } from './built.ts';
export type { BuildWork, WorkItem } from './work.ts';

/** The result of the build stage. */
export interface BuildResult {
  /** One entry per host, in the fleet's order. */
  built: Built[];
  work: BuildWork;
}

/**
 * Realises the toplevel of every host of the fleet in one call of Nix.
 *
 * If one host cannot be built, the others still are. The toplevels are protected from garbage collection for as long as
 * `context.scratch` exists.
 *
 * @param limits Nix ends a build that takes longer; it counts as failed.
 * @throws CommandError if Nix cannot be started or is ended.
 */
export async function build(fleet: Fleet, limits: BuildInputs, nix: Nix, context: Context): Promise<BuildResult> {
  const { hosts } = fleet;
  if (hosts.length === 0) return { built: [], work: { items: [], downloadedBytes: 0 } };
  const present = await nix.valid(outPaths(hosts));
  const missing = hosts.filter(host => !present.has(host.toplevel.outPath));
  const watch = new BuildWatch(missing, context);
  const order = { limits, nix, context };
  for (const host of hosts)
    watch.say(host, 'running', present.has(host.toplevel.outPath) ? 'in the store' : 'building');

  // The graph is read while Nix already builds.
  const graph = Promise.all(missing.map(async host => watch.learn(host, await requisites(nix, host))));
  await Promise.all([realise(hosts, 'toplevel', event => watch.see(event), order), graph]);
  if (hosts.length > 1) await realiseOthers(hosts, watch, order);
  const valid = await nix.valid(outPaths(hosts));

  const closures = await closuresOf([...valid], nix);
  const places = await placesOf(hosts, valid, watch, { source: fleet.source, nix, context });
  const built = hosts.map((host): Built => {
    const toplevel = host.toplevel.outPath;
    if (!valid.has(toplevel)) {
      const failure = { ...watch.failure(host), place: places.get(host) ?? null };
      watch.say(host, 'failed', failure.message);
      return { host, ok: false, failure };
    }
    const closure = closures(toplevel);
    watch.say(host, 'done', present.has(toplevel) ? 'was in the store' : watch.summary(host));
    return {
      host,
      ok: true,
      toplevel,
      closure,
      closureBytes: closure.reduce((sum, info) => sum + info.narSize, 0),
      builtDerivations: watch.builtFor(host),
    };
  });
  return { built, work: watch.work(await foreignSystems(hosts, watch.builds, nix, context), localSystem()) };
}

/** The systems of what was built, if some of it may be for another system than this machine's. It is only reported. */
async function foreignSystems(
  hosts: readonly Host[],
  builds: readonly string[],
  nix: Nix,
  { log }: Context,
): Promise<ReadonlyMap<string, string>> {
  if (builds.length === 0 || hosts.every(({ system }) => system === localSystem())) return new Map();
  return systemsOf(builds, nix).catch((error: Error) => {
    log.debug(`The systems of what was built are not known: ${error.message}`);
    return new Map();
  });
}

/** What builds hosts, and for how long one build may take. */
interface Order {
  limits: BuildInputs;
  nix: Nix;
  context: Context;
}

function outPaths(hosts: readonly Host[]): string[] {
  return [...new Set(hosts.map(host => host.toplevel.outPath))];
}

async function requisites(nix: Nix, host: Host): Promise<string[]> {
  const { stdout } = await nix.run('nix-store', ['--query', '--requisites', host.toplevel.drvPath]);
  return stdout.split('\n').filter(path => path.endsWith('.drv'));
}

/**
 * Builds one by one the hosts that are neither built nor known to have failed: Nix stops at the first derivation that it
 * cannot start (one for a foreign system, for example), even with --keep-going.
 */
async function realiseOthers(hosts: readonly Host[], watch: BuildWatch, order: Order): Promise<void> {
  const { nix, context } = order;
  const valid = await nix.valid(outPaths(hosts));
  for (const [index, host] of hosts.entries()) {
    const known = valid.has(host.toplevel.outPath) || watch.failedDerivation(host) !== null;
    if (known || context.signal.aborted) continue;
    await realise([host], `host-${index}`, event => watch.see(event, host), order);
  }
}

/** Failed builds are reported to `onEvent`, not thrown. `root` names the garbage collector's roots. */
async function realise(
  hosts: readonly Host[],
  root: string,
  onEvent: (event: LogEvent) => void,
  { limits, nix, context }: Order,
): Promise<void> {
  const drvPaths = [...new Set(hosts.map(host => host.toplevel.drvPath))];
  const args = ['--realise', '--keep-going', '--log-format', 'internal-json'];
  // `timeout` 0 is no limit; nix.conf(5).
  args.push('--option', 'max-silent-time', String(limits.stallTimeout));
  args.push('--option', 'timeout', String(limits.buildTimeout));
  args.push('--add-root', join(context.scratch, 'roots', root), ...drvPaths);
  try {
    await nix.run('nix-store', args, {
      signal: context.signal,
      // Nix itself ends a build that is silent, and then goes on with others.
      stall: (limits.stallTimeout + 300) * 1000,
      onStderr: line => {
        const event = parseLogLine(line);
        if (event !== null) onEvent(event);
      },
    });
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
  }
}

/** The places of the wrong hashes because of which hosts were not built. */
async function placesOf(
  hosts: readonly Host[],
  valid: ReadonlySet<string>,
  watch: BuildWatch,
  { source, nix, context }: { source: string; nix: Nix; context: Context },
): Promise<Map<Host, SourcePlace | null>> {
  const places = new Map<Host, SourcePlace | null>();
  for (const host of hosts) {
    const mismatch = valid.has(host.toplevel.outPath) ? null : watch.hashMismatch(host);
    if (mismatch !== null) places.set(host, await placeOfHash(mismatch, source, nix, context.query));
  }
  return places;
}

/** Queries all closures at once; the returned function finds the closure of one path by following references. */
async function closuresOf(paths: readonly string[], nix: Nix): Promise<(path: string) => PathInfo[]> {
  const infos = new Map(paths.length === 0 ? [] : (await nix.closure(paths)).map(info => [info.path, info]));
  return path => {
    const reached = new Set([path]);
    for (const next of reached) for (const reference of infos.get(next)?.references ?? []) reached.add(reference);
    return [...reached].sort().flatMap(each => infos.get(each) ?? []);
  };
}
