import { type Place, UserError } from '../../errors.ts';
import { explainNixError } from '../../nix/explain.ts';
import type { EvaluationFailure } from '../fleet.ts';
import type { Repository } from '../repository.ts';
import type { NixFailure } from './adapter.ts';
import { causeOf } from './cause.ts';
import { type FilePlace, optionOf, placeOf, shortPaths } from './places.ts';

/** Characters of a trace that the plan keeps. */
const traceLength = 16 * 1024;

const memoryCure =
  'Nothing is known to be wrong with the configuration: use a machine with more memory, or raise the limit of the container. One host of a current NixOS needs about 400 MB.';

/** What is known of the folder that was evaluated. */
interface EvaluatedFolder {
  /** Absolute path of the repository's root. */
  root: string;
  repository: Repository | null;
}

/** The failure of one host, as the plan reports it. */
export function evaluationFailure(host: string, failure: NixFailure, source: EvaluatedFolder): EvaluationFailure {
  const { message, place } = meaning(failure, source);
  return {
    host,
    message,
    trace: bothEnds(failure.printed),
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
  };
}

/** The error for a failure that no single host caused: the source as a whole cannot be evaluated. */
export function sourceFailure(failure: NixFailure, fallback: Place, source: EvaluatedFolder): UserError {
  const { message, place } = meaning(failure, source);
  return new UserError(message, { where: place === null ? fallback : known(place), cause: failure.printed });
}

/** A place without what is not known of it. */
function known({ file, line, column }: FilePlace): Place {
  return { file, ...(line === null ? {} : { line }), ...(column === null ? {} : { column }) };
}

/** What failed, what that means and what to do, if it is known; otherwise Nix's message. */
function meaning(failure: NixFailure, source: EvaluatedFolder): { message: string; place: FilePlace | null } {
  if (failure.kind === 'memory') {
    // The configuration may be right: nothing of it is the place of the error.
    return { message: `${sentence(failure.message)} ${memoryCure}`, place: null };
  }
  const cause = causeOf(failure, source);
  if (cause !== null) return { message: `${cause.message} ${cause.cure}`, place: cause.place };
  const place = placeOf(failure);
  const known = explainNixError(failure.printed);
  const text = sentence(shortPaths(failure.message, failure.roots));
  if (known !== null) return { message: `${text} It means that ${known.message}. ${known.cure}`, place };
  return { message: place === null ? `${text}${context(failure)}` : text, place };
}

/** For an error that occurs inside nixpkgs: where, and which option leads there. */
function context(failure: NixFailure): string {
  const option = optionOf(failure);
  const isNews = option !== null && option !== 'system.build.toplevel' && !failure.message.includes(`\`${option}'`);
  const [place] = failure.places;
  const at = place === undefined ? null : shortPaths(place.file, failure.roots);
  const parts = [
    ...(place === undefined || at === null || at.startsWith('/') ? [] : [`It occurs at ${at}:${place.line}`]),
    ...(!isNews ? [] : [`the option ${option} leads to it`]),
  ];
  if (parts.length === 0) return '';
  const joined = parts.join('; ');
  return ` ${joined.charAt(0).toUpperCase()}${joined.slice(1)}.`;
}

/** Where the trace is too long, its beginning and its end, one of which is the error. */
function bothEnds(printed: string): string {
  if (printed.length <= traceLength) return printed;
  const half = traceLength / 2 - 2;
  return `${printed.slice(0, half)}\n…\n${printed.slice(-half)}`;
}

/** Nix's message as a sentence: with a capital letter and a full stop. */
function sentence(message: string): string {
  const text = message
    .replace(/^error: /, '')
    // It is not an option of ours.
    .replace(" (use '--impure' to override)", '')
    // Newer versions of Nix wrap the error of a download.
    .replace(/^Failed to open archive \(Source threw exception: error: ([\s\S]*)\)$/, '$1')
    .trim();
  const once = withoutRepeatedItems(text);
  const cut = once.length > 2_000 ? `${once.slice(0, 2_000)}…` : once;
  const first = cut.charAt(0).toUpperCase() + cut.slice(1);
  return /[.!?…:'"`]$/.test(first) ? first : `${first}.`;
}

/** A module that is imported under two names has its assertions twice. */
function withoutRepeatedItems(text: string): string {
  const [intro = '', ...items] = text.split(/\n(?=- )/);
  return [intro, ...new Set(items.map(item => item.trimEnd()))].join('\n');
}
