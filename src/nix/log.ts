import { stripVTControlCharacters } from 'node:util';

/**
 * Nix's own log, as `--log-format internal-json` writes it to standard error: one event per line, after `@nix `.
 *
 * Numbers of activities and results: Nix's src/libutil/logging.hh, unchanged from 2.4 to 2.34.
 */
export type LogEvent =
  | { kind: 'build-start'; id: number; drvPath: string; machine: string }
  /** A path is copied between stores; `source` is the address of the store that has it. */
  | { kind: 'copy-start'; id: number; path: string; source: string }
  | { kind: 'log-line'; id: number; line: string }
  | { kind: 'stop'; id: number }
  /** The activity that counts all builds of this call, or a download, begins. */
  | { kind: 'builds-start'; id: number }
  | { kind: 'download-start'; id: number }
  /** How far such an activity is: builds, or bytes of a download; `expected` is 0 while it is unknown. */
  | { kind: 'progress'; id: number; done: number; expected: number }
  /** Bytes that all downloads of an activity will have; it grows while Nix finds more of them. */
  | { kind: 'download-size'; id: number; bytes: number }
  /** A Nix file is about to be evaluated; only logged with `-v`. */
  | { kind: 'evaluating'; file: string }
  | { kind: 'error'; error: NixError }
  /** `level`: 0 error, 1 warning, 3 information and so on. The text of a `builtins.trace` is unchanged. */
  | { kind: 'message'; level: number; text: string };

/** An error that Nix reports, without control characters. */
export interface NixError {
  message: string;
  /** With its trace, as Nix prints it. */
  printed: string;
  /** Where it occurred and where it was called from, innermost first. */
  places: NixPlace[];
}

/** A place in a Nix file; line and column start at 1. */
export interface NixPlace {
  file: string;
  line: number;
  column: number;
}

const activity = { copyPath: 100, download: 101, builds: 104, build: 105 } as const;
const resultOf = { buildLogLine: 101, progress: 105, expected: 106 } as const;

interface RawPlace {
  file?: string | null;
  line?: number | null;
  column?: number | null;
}

interface RawEvent extends RawPlace {
  action: string;
  id?: number;
  type?: number;
  level?: number;
  fields?: unknown[];
  text?: string;
  msg?: string;
  raw_msg?: string;
  trace?: RawPlace[];
}

/** The event that a line holds; null if it is none of these. A line without the prefix is a message. */
export function parseLogLine(line: string): LogEvent | null {
  if (line === '') return null;
  const plain: LogEvent = { kind: 'message', level: 0, text: stripVTControlCharacters(line) };
  if (!line.startsWith('@nix ')) return plain;
  let event: RawEvent;
  try {
    event = JSON.parse(line.slice('@nix '.length)) as RawEvent;
  } catch {
    return plain;
  }
  switch (event.action) {
    case 'start':
      return startOf(event);
    case 'result':
      return resultEvent(event);
    case 'stop':
      return { kind: 'stop', id: event.id ?? 0 };
    case 'msg':
      return messageOf(event);
    default:
      return null;
  }
}

function startOf({ id = 0, type, fields: [first, second] = [], text = '' }: RawEvent): LogEvent | null {
  if (type === activity.build)
    return { kind: 'build-start', id, drvPath: String(first), machine: String(second ?? '') };
  if (type === activity.copyPath) return { kind: 'copy-start', id, path: String(first), source: String(second ?? '') };
  if (type === activity.builds) return { kind: 'builds-start', id };
  if (type === activity.download) return { kind: 'download-start', id };
  return evaluating(text);
}

function resultEvent({ id = 0, type, fields: [first, second] = [] }: RawEvent): LogEvent | null {
  switch (type) {
    case resultOf.buildLogLine:
      return { kind: 'log-line', id, line: stripVTControlCharacters(String(first)) };
    case resultOf.progress:
      return { kind: 'progress', id, done: Number(first), expected: Number(second) };
    case resultOf.expected:
      return first === activity.download ? { kind: 'download-size', id, bytes: Number(second) } : null;
    default:
      return null;
  }
}

/** Errors carry `raw_msg` (JSONLogger::logEI in Nix's logging.cc). */
function messageOf(event: RawEvent): LogEvent {
  const { level = 0, msg = '', raw_msg: raw } = event;
  if (raw !== undefined && level === 0) {
    const places = [event, ...(event.trace ?? [])].flatMap(({ file, line, column }) =>
      typeof file === 'string' && typeof line === 'number' ? [{ file, line, column: column ?? 1 }] : [],
    );
    const message = stripVTControlCharacters(raw).trim();
    return { kind: 'error', error: { message, printed: stripVTControlCharacters(msg).trim(), places } };
  }
  // `raw_msg` of a `builtins.warn` lacks the words that distinguish it from Nix's own warnings.
  const text = /evaluation warning:/.test(msg) ? msg : (raw ?? msg);
  return (
    evaluating(text) ?? {
      kind: 'message',
      level,
      text: text.startsWith('trace: ') ? text : stripVTControlCharacters(text),
    }
  );
}

/** Nix 2.8 logs it as a message, 2.30 and newer as the start of an activity. */
function evaluating(text: string): LogEvent | null {
  const [, file] = /^evaluating file '(.*)'$/s.exec(text) ?? [];
  return file === undefined ? null : { kind: 'evaluating', file };
}
