import { join, relative } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Nix } from '../nix/index.ts';
import type { PlanConfig } from './config.ts';
import { type Adapter, type AdapterCall, callAdapter } from './evaluation/adapter.ts';
import { type Budget, type Evaluated, evaluateHosts } from './evaluation/evaluate.ts';
import { emptyRecords, type SourceEvaluation } from './evaluation/source-evaluation.ts';
import { namesOf } from './formats/adapter.ts';
import { chooseFormat } from './formats/choose.ts';
import { type Format, formats } from './formats/index.ts';
import { unknownHost } from './host.ts';
import { checkHostName } from './host-name.ts';
import { withoutSecretTexts } from './inline-secrets.ts';
import { withNixpkgs } from './pins/nixpkgs.ts';
import { type Evidence, sourceError } from './pins/problems.ts';
import { repositoryOf } from './repository.ts';
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

  private constructor(
    source: Source,
    evaluation: SourceEvaluation,
    opened: { main: string; adapter: Adapter; budget: Budget; files: Set<string> },
  ) {
    this.source = source;
    this.evaluation = evaluation;
    this.#main = opened.main;
    this.#adapter = opened.adapter;
    this.#budget = opened.budget;
    this.#files = opened.files;
  }

  /**
   * Chooses the format of a source and evaluates the names of its hosts.
   *
   * @throws UserError if the source as a whole cannot be evaluated.
   */
  static async open(source: Source, config: PlanConfig): Promise<OpenedSource> {
    const choice = await chooseFormat(source, config.format);
    const { format, detected, main } = choice;
    logFormat(format, detected, source.context);
    const { adapter, files: pinFiles } = await withNixpkgs(choice, source);
    const { names, root, notes, files } = await namesOf(adapter, source, main);
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
        budget: { jobs: config.jobs ?? null, memory: config.memory ?? null },
        files: new Set([...pinFiles, ...files]),
      },
    );
  }

  /** What has been evaluated so far. */
  get evidence(): Evidence {
    const { roots, request } = this.#adapter;
    return { source: this.source, roots, files: this.#files, hasNixpkgs: 'nixpkgs' in request };
  }

  /** Evaluates an attribute of the adapter for each of `hosts`. @throws UserError for a failure that no host caused. */
  async evaluate<T extends { name: string }>(
    call: AdapterCall & { hosts: readonly string[] },
  ): Promise<Evaluated<T>[]> {
    const { nix, context } = this.source;
    const evaluation = await evaluateHosts<T>(this.#adapter, call, {
      nix,
      context,
      budget: this.#budget,
      errorFor: failure => this.source.errorFor(failure, this.#main),
    });
    for (const file of evaluation.files) this.#files.add(file);
    return evaluation.hosts;
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
