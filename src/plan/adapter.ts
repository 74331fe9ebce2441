import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { type NixPlace, parseLogLine } from '../nix/log.ts';
import { ranOutOfMemory } from '../nix/memory.ts';

/** How one source is asked: a file of nix/, and what stands in its request. */
export interface Adapter {
  /** Name of the file in nix/ without `.nix`. */
  file: string;
  /** Goes to the file as JSON text. */
  request: Readonly<Record<string, unknown>>;
  /** True when the evaluation may see nothing but what is locked. */
  pure: boolean;
  /** Folders, as Nix names them in an error's place, whose contents are that of the repository's root. */
  roots: string[];
  /** Entries of the search path, as `nixpkgs=/nix/store/…`; none where left out. */
  searchPath?: readonly string[];
  /** Bytes that the evaluator's heap may take. */
  heap?: number;
}

/** What an evaluation said of the hosts, up to where it failed. */
export interface Answers<T> {
  answers: T[];
  /** The answer of the whole call; undefined when it failed. */
  result: unknown;
  failure: NixFailure | null;
  /** Name of the host that was being evaluated when it failed; null when none was begun. */
  begun: string | null;
  /** Nix files that were evaluated. */
  files: Set<string>;
}

/** Why an evaluation failed. */
export interface NixFailure {
  /** `memory`: the evaluator ran out of it, and the host it had begun may not be the cause. */
  kind: 'evaluation' | 'memory';
  message: string;
  /** With its trace, as Nix prints it. */
  printed: string;
  /** Where it is, and where it was called from, innermost first. */
  places: NixPlace[];
  /** Where this evaluation found the repository's files, as far as it came: the adapter's roots, and a flake's copy. */
  roots: readonly string[];
  /** Nix files that were evaluated before it, as Nix names them. */
  files: ReadonlySet<string>;
}

/** What Nix itself says of a failure. */
type Told = Pick<NixFailure, 'kind' | 'message' | 'printed' | 'places'>;

/** What each adapter's attributes answer with. */
export type Question = 'names' | 'deployments' | 'hosts' | 'option';

/**
 * Asks an adapter, in one evaluator.
 *
 * @param onAnswer called with each host's answer as soon as it is known, and with a host's name when it is begun.
 */
export async function ask<T>(
  adapter: Adapter,
  question: Question,
  request: Readonly<Record<string, unknown>>,
  nix: Nix,
  context: Context,
  onEvent: (event: { begun: string } | { answer: T }) => void = () => undefined,
): Promise<Answers<T>> {
  const mark = `ferry-${randomBytes(12).toString('hex')}`;
  const folder = nixFolder();
  const glue = await readFile(join(folder, 'glue.nix'), 'utf8');
  const keyUnits = await readFile(join(folder, 'key-units.nix'), 'utf8');
  const file = join(folder, `${adapter.file}.nix`);
  const arguments_ = [
    '--argstr',
    'request',
    JSON.stringify({ ...adapter.request, ...request, mark }),
    ...['--arg', 'glue', glue, '--arg', 'keyUnits', keyUnits],
    ...['--log-format', 'internal-json', '--show-trace', '-vv'],
    ...['--option', 'allow-import-from-derivation', 'true', '--option', 'accept-flake-config', 'false'],
    // The variable NIX_PATH is empty already; nix.conf has a setting too.
    ...['--option', 'nix-path', ''],
    ...(adapter.pure ? [] : (adapter.searchPath ?? []).flatMap(entry => ['-I', entry])),
  ];
  const { program, args } = adapter.pure
    ? { program: 'nix', args: ['eval', '--json', '--expr', await readFile(file, 'utf8'), question, ...arguments_] }
    : {
        program: 'nix-instantiate',
        args: ['--eval', '--strict', '--json', '--read-write-mode', file, '-A', question, ...arguments_],
      };
  const answers: Answers<T> = { answers: [], result: undefined, failure: null, begun: null, files: new Set() };
  const failures: Told[] = [];
  const onStderr = (line: string): void => {
    const message = parseLogLine(line);
    if (message?.kind === 'error') {
      const places = message.error.places.map(place => ({ ...place, file: pathOf(place.file, adapter) }));
      // A place that is not a file is text of ours.
      const inFiles = places.filter(({ file }) => file.startsWith('/'));
      failures.push({ kind: 'evaluation', ...message.error, places: inFiles });
    } else if (message?.kind === 'evaluating') answers.files.add(pathOf(message.file, adapter));
    else if (message?.kind === 'message' && message.text.startsWith(`trace: ${mark} `)) {
      const event = JSON.parse(message.text.slice(`trace: ${mark} `.length)) as { begun: string } | { answer: T };
      if ('begun' in event) answers.begun = event.begun;
      else answers.answers.push(event.answer);
      onEvent(event);
    } else if (message?.kind === 'message' && message.level <= 1) context.log.debug(message.text);
  };
  const env = {
    ...nix.environment(),
    ...(adapter.pure ? {} : await withoutHome(context)),
    ...(adapter.heap === undefined ? {} : heapOf(adapter.heap)),
  };
  try {
    const { stdout } = await nix.run(program, args, { onStderr, signal: context.signal, env });
    answers.result = JSON.parse(stdout);
    answers.begun = null;
  } catch (error) {
    // A program that cannot be started, a time-out and a cancellation say nothing about a host.
    if (!(error instanceof CommandError) || !['exit', 'signal'].includes(error.failure.kind)) throw error;
    if (context.signal.aborted) throw error;
    const failure = failures.at(-1) ?? withoutMessage(error);
    answers.failure = { ...failure, roots: rootsOf(adapter, answers.files), files: answers.files };
  }
  return answers;
}

/** A flake is evaluated in a copy, whose first file is its flake.nix. */
function rootsOf({ request, roots }: Adapter, files: ReadonlySet<string>): string[] {
  if (!('reference' in request)) return roots;
  for (const file of files) {
    const [copy] = /^\/nix\/store\/[^/]+(?=\/(?:.*\/)?flake\.nix$)/.exec(file) ?? [];
    if (copy !== undefined) return [...roots, copy];
  }
  return roots;
}

/** A file as a path. Newer Nix names a flake's files by its reference, as `«git+file:///fleet?rev=…»/flake.nix`. */
function pathOf(file: string, { request, roots }: Adapter): string {
  // 2.26 and newer write line and column a second time, after the file.
  const path = file.replace(/:\d+:\d+$/, '');
  const [, reference, rest] = /^«([^»?]*)[^»]*»(\/.*)$/.exec(path) ?? [];
  const own = String(request.reference ?? '').replace(/\?.*$/, '');
  return reference === own && rest !== undefined ? `${roots[0]}${rest}` : path;
}

/**
 * What else an impure evaluation could see of the machine: nixpkgs reads configuration and overlays from the home directory,
 * and two variables. Nix's caches and Git's configuration stay where they are.
 */
async function withoutHome({ scratch, environment }: Context): Promise<Record<string, string | undefined>> {
  const home = join(scratch, 'home');
  await mkdir(home, { recursive: true });
  return {
    HOME: home,
    XDG_CONFIG_HOME: undefined,
    XDG_CACHE_HOME: environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    GIT_CONFIG_GLOBAL: environment.GIT_CONFIG_GLOBAL ?? join(homedir(), '.gitconfig'),
    NIXOS_CONFIG: undefined,
    NIXOS_EXTRA_MODULE_PATH: undefined,
  };
}

/**
 * Variables of Nix's collector (Boehm's). A heap that begins larger than Nix's own 384 MiB is collected less often: on 40 hosts
 * of NixOS 17.09 it saves a tenth of the time. Beyond a gibibyte, touching new memory costs more than collecting.
 */
function heapOf(bytes: number): Record<string, string> {
  const kibibytes = Math.floor(bytes / 1024);
  return {
    GC_INITIAL_HEAP_SIZE: `${Math.min(1024 * 1024, Math.floor(kibibytes / 2))}K`,
    GC_MAXIMUM_HEAP_SIZE: `${kibibytes}K`,
  };
}

/** Nix ended without saying why: killed, or out of memory. */
function withoutMessage(error: CommandError): Told {
  const { failure } = error;
  const ended = failure.kind === 'signal' ? `was ended by ${failure.signal}` : `exited with ${error.code}`;
  const memory = ranOutOfMemory(error);
  const printed = stripVTControlCharacters(error.stderr).trim();
  return {
    kind: memory ? 'memory' : 'evaluation',
    message: memory ? `the evaluator ran out of memory (it ${ended})` : `the evaluator ${ended}`,
    printed,
    places: [],
  };
}

/** The folder with our Nix files. */
export function nixFolder(): string {
  return dirname(asset('nix/glue.nix'));
}
