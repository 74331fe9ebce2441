import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { childrenOf, repository } from './machine.ts';
import type { ResultsService } from './results.ts';
import { type Runner, work } from './runner.ts';

export interface ActionOptions {
  /** The folder of the action.yml, relative to the repository. */
  uses?: string;
  /** The step's `with`. */
  inputs?: Readonly<Record<string, string>>;
  /** The step's `env`. */
  env?: Readonly<Record<string, string>>;
  /** GITHUB_EVENT_NAME, and the content of the file GITHUB_EVENT_PATH. */
  event?: { name: string; payload?: unknown };
  results?: ResultsService;
  /** The user who runs it; default `runner`. */
  user?: string;
  /** Default 24, the version that action.yml names. */
  node?: 20 | 24;
  /** Texts that must not appear, in whole or in single lines, in a log, summary, output, the state or an environment file. */
  secrets?: readonly string[];
  /** Runs as the job's steps between the action's main and its post. */
  between?: () => Promise<void>;
}

/** A workflow command that a step printed: `::error file=a,line=1::message`. */
export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  message: string;
  properties: Record<string, string>;
}

/** The result of one part of the action, main or post. */
export interface StepResult {
  /** Null when it was killed. */
  code: number | null;
  /** Standard output and standard error in order of arrival, unmasked. */
  log: string;
  annotations: Annotation[];
  /** Texts that the step masked. */
  masks: string[];
  seconds: number;
}

export interface ActionResult {
  main: StepResult;
  post: StepResult | null;
  outputs: Record<string, string>;
  state: Record<string, string>;
  /** Variables that it exported to later steps. */
  exported: Record<string, string>;
  path: string[];
  /** The job summary, Markdown. */
  summary: string;
  /** The places where a secret was found; should be empty. */
  leaks: string[];
}

/** A running step; `done` resolves when its post has ended. */
export interface RunningAction {
  done: Promise<ActionResult>;
  /** The output of main (or post) so far. */
  log(): string;
  /** Seconds since main (or post) was started; 0 before. */
  seconds(): number;
  /** Cancels like the runner: SIGINT, after 7.5 s SIGTERM, after another 2.5 s SIGKILL. Post still runs. */
  cancel(): void;
  /** Sends main (or post) one signal. */
  signal(name: NodeJS.Signals): void;
  /** Kills main, as when the machine runs out of memory. Post still runs. */
  kill(): void;
}

interface Definition {
  inputs?: Record<string, { default?: unknown; required?: boolean }>;
  runs: { using: string; main: string; post?: string };
}

/** Runs an action like the hosted runner: main, the job's other steps, then post, even if main failed. */
export function runAction(runner: Runner, options: ActionOptions = {}): Promise<ActionResult> {
  return startAction(runner, options).done;
}

export function startAction(runner: Runner, options: ActionOptions = {}): RunningAction {
  const directory = join(repository, options.uses ?? '.');
  const definition = parse(readFileSync(join(directory, 'action.yml'), 'utf8')) as Definition;
  let step: RunningStep | null = null;

  const whole = async (): Promise<ActionResult> => {
    const files = await Files.create(runner);
    const environment = {
      ...runnerEnvironment(runner, options, files),
      ...inputEnvironment(definition, options.inputs ?? {}),
    };
    await files.writeEvent(options.event?.payload ?? {});

    const program = (name: string): string[] => [
      options.node === 20 ? work.node20 : work.node24,
      join(directory, name),
    ];
    const user = options.user ?? 'runner';
    step = startStep(runner, user, program(definition.runs.main), environment);
    const main = await step.done;
    await options.between?.();

    const state = files.pairs('STATE');
    const exported = files.pairs('ENV');
    const path = files.lines('PATH');
    let post: StepResult | null = null;
    if (definition.runs.post !== undefined) {
      const saved = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
      const PATH = [...path.reverse(), environment.PATH].join(':');
      step = startStep(runner, user, program(definition.runs.post), { ...environment, ...exported, ...saved, PATH });
      post = await step.done;
    }
    const outputs = files.pairs('OUTPUT');
    const summary = files.text('STEP_SUMMARY');
    const texts = { 'log of main': main.log, 'log of post': post?.log ?? '', summary, outputs: files.text('OUTPUT') };
    const leaks = findLeaks(
      { ...texts, state: files.text('STATE'), environment: files.text('ENV') },
      options.secrets ?? [],
    );
    return { main, post, outputs, state, exported, path, summary, leaks };
  };
  return {
    done: whole(),
    log: () => step?.log() ?? '',
    seconds: () => step?.seconds() ?? 0,
    cancel: () => {
      const target = step;
      target?.signal('SIGINT');
      setTimeout(() => target?.signal('SIGTERM'), 7_500).unref();
      setTimeout(() => target?.signal('SIGKILL'), 10_000).unref();
    },
    signal: name => step?.signal(name),
    kill: () => step?.signal('SIGKILL'),
  };
}

/** The files behind GITHUB_OUTPUT, GITHUB_STATE, …, owned by the runner's user. */
class Files {
  static readonly names = ['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'] as const;
  readonly id = randomUUID();
  readonly #runner: Runner;

  private constructor(runner: Runner) {
    this.#runner = runner;
  }

  static async create(runner: Runner): Promise<Files> {
    const files = new Files(runner);
    await runner.run(['touch', ...Files.names.map(name => files.path(name))]);
    return files;
  }

  path(name: string): string {
    return `${work.files}/${name.toLowerCase()}_${this.id}`;
  }

  text(name: (typeof Files.names)[number]): string {
    return readFileSync(this.#runner.machine.path(this.path(name)), 'utf8');
  }

  lines(name: (typeof Files.names)[number]): string[] {
    return this.text(name)
      .split('\n')
      .filter(line => line !== '');
  }

  /** `name=value` lines and `name<<delimiter` blocks, as the runner reads them. @throws on what the runner refuses */
  pairs(name: (typeof Files.names)[number]): Record<string, string> {
    const result: Record<string, string> = {};
    const lines = this.text(name).split(/\r?\n/);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] ?? '';
      if (line === '') continue;
      const equals = line.indexOf('=');
      const heredoc = line.indexOf('<<');
      if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
        result[line.slice(0, equals)] = line.slice(equals + 1);
      } else if (heredoc >= 0) {
        const end = lines.indexOf(line.slice(heredoc + 2), i + 1);
        if (end < 0) throw new Error(`The runner would refuse GITHUB_${name}: no line ends ${line}`);
        result[line.slice(0, heredoc)] = lines.slice(i + 1, end).join('\n');
        i = end;
      } else {
        throw new Error(`The runner would refuse GITHUB_${name}: ${line}`);
      }
    }
    return result;
  }

  async writeEvent(payload: unknown): Promise<void> {
    await this.#runner.run(['sh', '-c', 'cat >"$0"', this.path('EVENT')], { input: JSON.stringify(payload) });
  }
}

/** A variable for each input of action.yml and each given one: upper case, spaces become underscores, dashes stay. */
function inputEnvironment(definition: Definition, given: Readonly<Record<string, string>>): Record<string, string> {
  const evaluate = (value: unknown): string =>
    String(value ?? '').replaceAll(/\$\{\{\s*github\.token\s*\}\}/g, 'ghs_of-the-job');
  const defaults = Object.entries(definition.inputs ?? {}).map(
    ([name, input]) => [name, evaluate(input.default)] as const,
  );
  const all = Object.entries({ ...Object.fromEntries(defaults), ...given });
  return Object.fromEntries(all.map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]));
}

function runnerEnvironment(runner: Runner, options: ActionOptions, files: Files): Record<string, string> {
  return {
    PATH: runner.path,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTOR: 'octocat',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_EVENT_NAME: options.event?.name ?? 'push',
    GITHUB_EVENT_PATH: files.path('EVENT'),
    GITHUB_JOB: 'deploy',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REPOSITORY: 'octocat/fleet',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '7',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_WORKFLOW: 'deploy',
    GITHUB_WORKSPACE: work.workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'testbed',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: work.temp,
    RUNNER_TOOL_CACHE: work.toolCache,
    ...Object.fromEntries(Files.names.map(name => [`GITHUB_${name}`, files.path(name)])),
    ...options.results?.environment(),
    ...options.env,
  };
}

interface RunningStep {
  done: Promise<StepResult>;
  log(): string;
  seconds(): number;
  signal(name: NodeJS.Signals): void;
}

function startStep(runner: Runner, user: string, argv: string[], env: Record<string, string>): RunningStep {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const entered = runner.machine.enter(argv, { user, cwd: work.workspace, env });
  const child = spawn('nsenter', entered, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const log = (): string => Buffer.concat(chunks).toString();
  const done = new Promise<StepResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => {
      const took = seconds();
      const finish = (): void => resolve({ code, log: log(), ...commands(log()), seconds: took });
      child.once('close', finish);
      // A process that it left running may keep its output open.
      const quiet = setTimeout(finish, 1000);
      for (const stream of [child.stdout, child.stderr]) stream.on('data', () => quiet.refresh());
    });
  });
  return { done, log, seconds, signal: name => signalInside(child, name) };
}

/** Signals the program, not the nsenter that waits for it. */
function signalInside(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  for (const pid of childrenOf(child.pid)) process.kill(pid, name);
}

/** The workflow commands in a log, parsed like the runner does. */
function commands(log: string): { annotations: Annotation[]; masks: string[] } {
  const annotations: Annotation[] = [];
  const masks: string[] = [];
  for (const line of log.split('\n')) {
    const match = /^::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line.trimEnd());
    if (match === null) continue;
    const [, name = '', words = '', text = ''] = match;
    const message = text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
    const properties = Object.fromEntries(
      words
        .split(',')
        .filter(word => word !== '')
        .map(word => {
          const value = word.slice(word.indexOf('=') + 1);
          return [
            word.slice(0, word.indexOf('=')),
            value.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%'),
          ];
        }),
    );
    if (name === 'add-mask') masks.push(message);
    if (name === 'error' || name === 'warning' || name === 'notice')
      annotations.push({ level: name, message, properties });
  }
  return { annotations, masks };
}

/** Searches for each line of each secret: part of a key is a leak too. Lines with `::add-mask::` do not count. */
export function findLeaks(texts: Record<string, string>, secrets: readonly string[]): string[] {
  const pieces = secrets
    .flatMap(secret => secret.split('\n'))
    .filter(piece => piece.length >= 8 && !piece.startsWith('-----'));
  return Object.entries(texts).flatMap(([place, text]) => {
    // The summary has some characters as numeric references.
    const plain = text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
    const shown = plain
      .split('\n')
      .filter(line => !line.startsWith('::add-mask::'))
      .join('\n');
    return pieces.filter(piece => shown.includes(piece)).map(piece => `${place}: ${piece.slice(0, 12)}…`);
  });
}
