import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { asset } from '../../assets.ts';
import type { Context } from '../../context.ts';
import { CommandError, stderrLimit } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import { type NixError, type NixPlace, parseLogLine } from '../../nix/log.ts';
import { ranOutOfMemory } from '../../nix/memory.ts';
import type { TagSelection } from '../select.ts';
import { shortPaths } from './places.ts';
import { refusedAddress, restriction } from './restriction.ts';

/** How a source is evaluated: a file of nix/ and the request that it is called with. */
export interface Adapter {
  /** Name of the file in nix/ without `.nix`. */
  file: string;
  /** Passed to the file as JSON text. */
  request: Readonly<Record<string, unknown>>;
  /** True if the evaluation may use only what is locked. */
  pure: boolean;
  /** Folders with the contents of the repository's root, as Nix names them in the place of an error. */
  roots: string[];
  /** Files and folders that an impure evaluation may read besides the roots, the search path and what it fetches. */
  readable?: readonly string[];
  /** True if nothing of the source is evaluated, only read: an impure evaluation of it is not restricted. */
  readsOnly?: boolean;
  /** Entries of the search path, for example `nixpkgs=/nix/store/…`. */
  searchPath?: readonly string[];
  /** Maximum size of the evaluator's heap in bytes. */
  heap?: number;
}

/** The attributes of an adapter: `nix/glue.nix` defines them. */
export type AdapterAttribute = 'names' | 'opened' | 'tagged' | 'hosts' | 'option';

/** The value of the attribute `names` of every adapter. */
export interface Names {
  names: string[];
  /** The folder that the source was read from. */
  root: string;
  notes: Record<string, unknown>;
}

/** Which attribute of an adapter to evaluate, and what is added to the adapter's request for it. */
export interface AdapterCall {
  attribute: AdapterAttribute;
  hosts?: readonly string[];
  /** For `tagged`: which of the hosts to evaluate whole. */
  selection?: TagSelection;
  /** For `option`: the path of the option, as its names. */
  option?: readonly string[];
}

/** What every evaluation needs. */
export interface Evaluator {
  nix: Nix;
  context: Context;
}

/** Reported while an evaluation runs. */
export type EvaluationEvent<T> = { opened: Names } | { begun: string } | { answer: T };

/** What an evaluation returned for the hosts, up to the point where it failed. */
export interface AdapterResult<T> {
  /** Only of the attribute `opened`; null if its evaluation failed before. */
  opened: Names | null;
  answers: T[];
  /** Value of the attribute; undefined if the evaluation failed. */
  value: unknown;
  failure: NixFailure | null;
  /** Name of the host that was being evaluated when the evaluation failed; null if it had not begun with a host. */
  begun: string | null;
  /** Nix files that were evaluated. */
  files: Set<string>;
  /** Warnings of the configuration, as `lib.warn` and the option `warnings` of NixOS print them; each with its hosts. */
  warnings: Map<string, Set<string>>;
}

/** Why an evaluation failed. */
export interface NixFailure {
  /** `memory`: the evaluator ran out of it, and the host it had begun may not be the cause. */
  kind: 'evaluation' | 'memory';
  message: string;
  /** With its trace, as Nix prints it. */
  printed: string;
  /** The place of the error and the places that led to it, innermost first. */
  places: NixPlace[];
  /** Where this evaluation read the repository's files: the adapter's roots and, once it is known, the copy of a flake. */
  roots: readonly string[];
  /** Nix files that were evaluated before the error, as Nix names them. */
  files: ReadonlySet<string>;
}

/** The part of a failure that Nix itself reports, or that its end shows. */
type Reported = Pick<NixFailure, 'kind'> & NixError;

/** Commits and branches of the repository that one evaluation may read, at most; each costs another attempt. */
const mostAddresses = 16;

/**
 * Evaluates an attribute of an adapter in one process of Nix, or in several if it reads commits of its own repository.
 *
 * @param onEvent called when the evaluation of a host begins, and with its answer as soon as it is known.
 * @returns the answers, or the failure. @throws what is not an error of the evaluation, for example that Nix cannot be started.
 */
export async function callAdapter<T>(
  adapter: Adapter,
  call: AdapterCall,
  evaluator: Evaluator,
  onEvent: (event: EvaluationEvent<T>) => void = () => undefined,
): Promise<AdapterResult<T>> {
  const addresses = new Set<string>();
  for (;;) {
    const result = await attempt(adapter, { ...call, addresses: [...addresses] }, evaluator, onEvent);
    const refused = result.failure === null ? null : await refusedAddress(result.failure.message, adapter);
    if (refused === null || addresses.has(refused) || addresses.size === mostAddresses) return result;
    addresses.add(refused);
  }
}

async function attempt<T>(
  adapter: Adapter,
  call: AdapterCall & { addresses: readonly string[] },
  { nix, context }: Evaluator,
  onEvent: (event: EvaluationEvent<T>) => void,
): Promise<AdapterResult<T>> {
  const mark = `ferry-${randomBytes(12).toString('hex')}`;
  const { program, args } = await commandOf(adapter, call, mark);
  const env = {
    ...nix.environment(),
    ...(adapter.pure ? {} : await withoutHome(context)),
    ...(adapter.heap === undefined ? {} : heapOf(adapter.heap)),
  };
  const result: AdapterResult<T> = {
    opened: null,
    answers: [],
    value: undefined,
    failure: null,
    begun: null,
    files: new Set(),
    warnings: new Map(),
  };
  const errors: Reported[] = [];
  const onStderr = (line: string): void => {
    const message = parseLogLine(line);
    if (message?.kind === 'error') errors.push({ kind: 'evaluation', ...withPaths(message.error, adapter) });
    else if (message?.kind === 'evaluating') result.files.add(pathOf(message.file, adapter));
    else if (message?.kind === 'message' && message.text.startsWith(`trace: ${mark} `)) {
      const event = JSON.parse(message.text.slice(`trace: ${mark} `.length)) as EvaluationEvent<T>;
      if ('opened' in event) result.opened = event.opened;
      else if ('begun' in event) result.begun = event.begun;
      else result.answers.push(event.answer);
      onEvent(event);
    } else if (message?.kind === 'message') {
      if (message.level <= 1) context.log.debug(message.text);
      noteWarning(message.text, result);
    }
  };
  try {
    const { stdout } = await nix.run(program, args, { onStderr, signal: context.signal, env });
    return { ...withShortPaths(result, adapter), value: JSON.parse(stdout), begun: null };
  } catch (thrown) {
    const error = thrown instanceof CommandError ? withoutEvents(thrown) : thrown;
    // A program that cannot be started, a time-out and a cancellation say nothing about a host.
    if (!(error instanceof CommandError) || !['exit', 'signal'].includes(error.failure.kind)) throw error;
    if (context.signal.aborted) throw error;
    const failure = errors.at(-1) ?? withoutMessage(error);
    const { files } = result;
    return { ...withShortPaths(result, adapter), failure: { ...failure, roots: rootsOf(adapter, result), files } };
  }
}

/**
 * `builtins.warn` prints "evaluation warning: …". Before Nix 2.23, which added it, nixpkgs traces the same text; before 24.11,
 * it traces "warning: …".
 */
function noteWarning(message: string, { begun, warnings }: AdapterResult<unknown>): void {
  const [, text] =
    /^(?:trace: (?:evaluation )?|evaluation )warning: (.*)$/s.exec(stripVTControlCharacters(message).trim()) ?? [];
  if (text === undefined) return;
  const hosts = warnings.get(text) ?? new Set();
  warnings.set(text, begun === null ? hosts : hosts.add(begun));
}

/** Warnings name the files of the repository relative to its root. */
function withShortPaths<T>(result: AdapterResult<T>, adapter: Adapter): AdapterResult<T> {
  const roots = rootsOf(adapter, result);
  return { ...result, warnings: new Map([...result.warnings].map(([text, its]) => [shortPaths(text, roots), its])) };
}

/** @param mark begins the traces that carry events, so that no trace of a user's configuration can be taken for one. */
async function commandOf(
  adapter: Adapter,
  { attribute, addresses, ...more }: AdapterCall & { addresses: readonly string[] },
  mark: string,
): Promise<{ program: string; args: string[] }> {
  const folder = nixFolder();
  const file = join(folder, `${adapter.file}.nix`);
  const args = [
    '--argstr',
    'request',
    JSON.stringify({ ...adapter.request, ...more, mark }),
    ...['--arg', 'glue', await readFile(join(folder, 'glue.nix'), 'utf8')],
    ...['--arg', 'keyUnits', await readFile(join(folder, 'key-units.nix'), 'utf8')],
    ...['--log-format', 'internal-json', '--show-trace', '-v'],
    ...['--option', 'allow-import-from-derivation', 'true', '--option', 'accept-flake-config', 'false'],
    // What is built to be imported is built in the sandbox, also on a machine whose nix.conf has none.
    ...['--option', 'sandbox', 'true', '--option', 'sandbox-fallback', 'false'],
    // `builtins.exec` would run any program of the branch on the runner, whatever the machine's nix.conf says.
    ...['--option', 'allow-unsafe-native-code-during-evaluation', 'false'],
    // The variable NIX_PATH is empty already; nix.conf has a setting too.
    ...['--option', 'nix-path', ''],
  ];
  if (adapter.pure) {
    return { program: 'nix', args: ['eval', '--json', '--expr', await readFile(file, 'utf8'), attribute, ...args] };
  }
  const mode = ['--eval', '--strict', '--json', '--read-write-mode'];
  const restricted = await restriction(adapter, folder, addresses);
  return { program: 'nix-instantiate', args: [...mode, file, '-A', attribute, ...args, ...restricted] };
}

/** An error with its places as files; a place without a file is in the text of our own expressions. */
function withPaths(error: NixError, adapter: Adapter): NixError {
  const places = error.places.map(place => ({ ...place, file: pathOf(place.file, adapter) }));
  return { ...error, places: places.filter(({ file }) => file.startsWith('/')) };
}

/** Nix evaluates a copy of a flake, which the adapter reports with the names, and reads its flake.nix first. */
function rootsOf({ request, roots }: Adapter, { opened, files }: AdapterResult<unknown>): string[] {
  if (opened !== null) return [...new Set([...roots, opened.root])];
  if (!('reference' in request)) return roots;
  for (const file of files) {
    const [copy] = /^\/nix\/store\/[^/]+(?=\/(?:.*\/)?flake\.nix$)/.exec(file) ?? [];
    if (copy !== undefined) return [...roots, copy];
  }
  return roots;
}

/** A file as a path. Newer versions of Nix name a flake's files by its reference: `«git+file:///fleet?rev=…»/flake.nix`. */
function pathOf(file: string, { request, roots }: Adapter): string {
  // Nix 2.26 and newer repeat line and column after the file.
  const path = file.replace(/:\d+:\d+$/, '');
  const [, reference, rest] = /^«([^»?]*)[^»]*»(\/.*)$/.exec(path) ?? [];
  const own = String(request.reference ?? '').replace(/\?.*$/, '');
  return reference === own && rest !== undefined ? `${roots[0]}${rest}` : path;
}

/**
 * Hides the rest of the machine from an impure evaluation: nixpkgs reads configuration and overlays from the home directory
 * and from two variables. Nix's caches and Git's configuration are still used.
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
 * Variables of Nix's garbage collector (Boehm's). A heap that starts larger than Nix's default of 384 MiB is collected less
 * often: with 40 hosts of NixOS 17.09 that saves a tenth of the time. Beyond 1 GiB, touching new memory costs more than collecting.
 */
function heapOf(bytes: number): Record<string, string> {
  const kibibytes = Math.floor(bytes / 1024);
  return {
    GC_INITIAL_HEAP_SIZE: `${Math.min(1024 * 1024, Math.floor(kibibytes / 2))}K`,
    GC_MAXIMUM_HEAP_SIZE: `${kibibytes}K`,
  };
}

/**
 * The error without the lines of Nix's log that it printed: these contain what a host's evaluation returned, with the texts
 * of secrets. `stderr` may begin in the middle of such a line.
 */
export function withoutEvents({ command, failure, stderr }: CommandError): CommandError {
  const [first = '', ...lines] = stderr.split('\n');
  const whole = stderr.length < stderrLimit ? [first, ...lines] : lines;
  return new CommandError(command, failure, whole.filter(line => !line.startsWith('@nix ')).join('\n'));
}

/** Nix ended without an error message: it was killed, or it ran out of memory. */
function withoutMessage(error: CommandError): Reported {
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
