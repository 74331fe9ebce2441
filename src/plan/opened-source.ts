import { join, relative } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Nix } from '../nix/index.ts';
import type { PlanConfig } from './config.ts';
import { type Adapter, type AdapterResult, callAdapter } from './evaluation/adapter.ts';
import {
  type Budget,
  type Evaluated,
  type EvaluateOptions,
  type Evaluation,
  evaluateHosts,
  evaluateNames,
} from './evaluation/evaluate.ts';
import { emptyRecords, type SourceEvaluation } from './evaluation/source-evaluation.ts';
import { namesOf } from './formats/adapter.ts';
import { chooseFormat } from './formats/choose.ts';
import { type Format, formats } from './formats/index.ts';
import { type EvaluatedHost, type TaggedHost, unknownHost } from './host.ts';
import { checkHostName } from './host-name.ts';
import { withoutSecretTexts } from './inline-secrets.ts';
import { withNixpkgs } from './pins/nixpkgs.ts';
import { type Evidence, sourceError } from './pins/problems.ts';
import { repositoryOf } from './repository.ts';
import type { TagSelection } from './select.ts';
import type { Source } from './source.ts';

/** The source that a configuration names. Nothing is evaluated yet. */
export async function sourceOf(config: PlanConfig, nix: Nix, context: Context): Promise<Source> {
  const folder = config.source;
  const repository = await repositoryOf(folder, context);
  const root = repository?.root ?? folder;
  const { attribute, arguments: given = {}, system, nixpkgs, nixpkgsPin, nixPath = null, allowedPaths = [] } = config;
  const source: Source = {
    folder,
    files: config.files ?? [],
    repository,
    root,
    inputs: { attribute, arguments: given, system, nixpkgs, nixpkgsPin, nixPath, allowedPaths },
    nix,
    context,
    errorFor: (failure, main) => sourceError(failure, relative(root, join(folder, main)), source),
  };
  return source;
}

/** A source whose format and host names are known: its hosts can be evaluated. */
export class OpenedSource {
  /** Without any host. */
  readonly evaluation: SourceEvaluation;
  readonly source: Source;
  readonly #main: string;
  readonly #adapter: Adapter;
  readonly #budget: Budget;
  readonly #files: Set<string>;
  #sole: AdapterResult<EvaluatedHost> | null;

  private constructor(
    source: Source,
    evaluation: SourceEvaluation,
    opened: {
      main: string;
      adapter: Adapter;
      budget: Budget;
      files: Set<string>;
      sole: AdapterResult<EvaluatedHost> | null;
    },
  ) {
    this.source = source;
    this.evaluation = evaluation;
    this.#main = opened.main;
    this.#adapter = opened.adapter;
    this.#budget = opened.budget;
    this.#files = opened.files;
    this.#sole = opened.sole;
  }

  /**
   * Chooses the format of a source and evaluates the names of its hosts.
   *
   * @param what `hosts`: hosts will be evaluated next, so that a single one may be evaluated already.
   * @throws UserError if the source as a whole cannot be evaluated.
   */
  static async open(source: Source, config: PlanConfig, what: 'names' | 'hosts'): Promise<OpenedSource> {
    const choice = await chooseFormat(source, config.format);
    const { format, detected, main } = choice;
    logFormat(format, detected, source.context);
    const { adapter, files: pinFiles } = await withNixpkgs(choice, source);
    const budget = { jobs: config.jobs ?? null, memory: config.memory ?? null };
    const { names, root, notes, files, sole } =
      what === 'hosts'
        ? await evaluateNames<EvaluatedHost>(adapter, optionsFor(source, main, budget))
        : { ...(await namesOf(adapter, source, main)), sole: null };
    const fromRoot = relative(source.root, join(source.folder, main));
    if (names.length === 0) throw noHost(fromRoot, formats[format].notHosts?.(names, notes) ?? null);
    for (const name of names) checkHostName(name, fromRoot);
    const roots = [...new Set([...adapter.roots, root])];
    return new OpenedSource(
      source,
      { format, detected, main: fromRoot, names, notes, ...emptyRecords() },
      {
        main,
        adapter: { ...adapter, roots },
        budget,
        files: new Set([...pinFiles, ...files]),
        sole,
      },
    );
  }

  /** What has been evaluated so far. */
  get evidence(): Evidence {
    const { roots, request } = this.#adapter;
    return { source: this.source, roots, files: this.#files, hasNixpkgs: 'nixpkgs' in request };
  }

  /** Evaluates hosts. @throws UserError for a failure that no host caused. */
  async evaluate(hosts: readonly string[]): Promise<Evaluated<EvaluatedHost>[]> {
    const sole = hosts.length === this.evaluation.names.length ? this.#sole : null;
    this.#sole = null;
    return this.#evaluated(await evaluateHosts(this.#adapter, { attribute: 'hosts', hosts }, this.#options, sole));
  }

  /** Evaluates the targets of hosts, and the whole hosts that `selection` selects. @throws as `evaluate` does. */
  async evaluateTagged(hosts: readonly string[], selection: TagSelection): Promise<Evaluated<TaggedHost>[]> {
    const call = { attribute: 'tagged', hosts, selection } as const;
    return this.#evaluated(await evaluateHosts<TaggedHost>(this.#adapter, call, this.#options));
  }

  get #options(): EvaluateOptions {
    return optionsFor(this.source, this.#main, this.#budget);
  }

  #evaluated<T>({ hosts, files }: Evaluation<T>): Evaluated<T>[] {
    for (const file of files) this.#files.add(file);
    return hosts;
  }

  /** The value of an option of a host. @throws UserError for a host or option that does not exist, and for a failure. */
  async option(host: string, optionPath: string, names: readonly string[]): Promise<unknown> {
    if (!this.evaluation.names.includes(host)) throw unknownHost(host, this.evaluation.names, 'host');
    const call = { attribute: 'option', hosts: [host], option: names } as const;
    const { value, failure } = await callAdapter(this.#adapter, call, this.source);
    if (failure !== null) throw this.source.errorFor(failure, this.#main);
    const result = value as { found: boolean; value: unknown; known: string[] | null; missing: string | null };
    if (result.found) return withoutSecretTexts(result.value, names, host);
    if (result.known !== null) throw unknownOption(optionPath, result.missing ?? '', result.known, host);
    throw new UserError(`${JSON.stringify(host)} is defined by a derivation, which has no options.`, {
      where: { host },
      cure: 'Set `attribute` to the whole evaluation instead of its toplevel.',
    });
  }
}

/** @param main the file that the evaluation starts from. */
function optionsFor({ nix, context, errorFor }: Source, main: string, budget: Budget): EvaluateOptions {
  return { nix, context, budget, errorFor: failure => errorFor(failure, main) };
}

/** Logs a detected format. It is called before the evaluation, which may fail because the format is not the intended one. */
export function logFormat(format: Format, detected: string | null, { log }: Context): void {
  if (detected !== null) log.info(`Format: ${format} (${detected}).`);
}

/** A run without hosts would succeed and do nothing. @param others what the source defines instead, as a sentence. */
function noHost(file: string, others: string | null): UserError {
  return new UserError(`${file} defines no host.`, {
    where: { file },
    cure: `${others === null ? '' : `${others} `}Define one, or set \`source\` and \`format\` to where the hosts are.`,
  });
}

function unknownOption(path: string, missing: string, known: readonly string[], host: string): UserError {
  const meant = nearest(missing, known);
  const names = meant === null ? known : [meant, ...known.filter(name => name !== meant)];
  const listed = names.length > 12 ? `${names.slice(0, 12).join(', ')}, …` : names.join(', ');
  return new UserError(`${JSON.stringify(host)} has no option ${path}: ${JSON.stringify(missing)} does not exist.`, {
    where: { host },
    cure:
      known.length === 0
        ? 'The part before it is a value.'
        : `${meant === null ? '' : `Did you mean ${meant}? `}Known: ${listed}.`,
  });
}
