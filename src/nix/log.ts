import { stripVTControlCharacters } from 'node:util';

/**
 * Nix's own log, as `--log-format internal-json` writes it to standard error, one event a line after `@nix `.
 *
 * Numbers of activities and results: Nix's src/libutil/logging.hh, unchanged from 2.4 to 2.34.
 */
export type LogEvent =
  | { kind: 'build-start'; id: number; drvPath: string; machine: string }
  | { kind: 'copy-start'; id: number; path: string }
  | { kind: 'log-line'; id: number; line: string }
  | { kind: 'stop'; id: number }
  | { kind: 'message'; level: number; text: string };

const activity = { copyPath: 100, build: 105 } as const;
const buildLogLine = 101;

interface RawEvent {
  action: string;
  id?: number;
  type?: number;
  level?: number;
  fields?: unknown[];
  msg?: string;
  raw_msg?: string;
}

/** The event in one line; null for a line that is none of those above. A line without the prefix is a message. */
export function parseLogLine(line: string): LogEvent | null {
  if (!line.startsWith('@nix '))
    return line === '' ? null : { kind: 'message', level: 0, text: stripVTControlCharacters(line) };
  let event: RawEvent;
  try {
    event = JSON.parse(line.slice('@nix '.length)) as RawEvent;
  } catch {
    return { kind: 'message', level: 0, text: stripVTControlCharacters(line) };
  }
  const id = event.id ?? 0;
  const [first, second] = event.fields ?? [];
  if (event.action === 'start' && event.type === activity.build) {
    return { kind: 'build-start', id, drvPath: String(first), machine: String(second ?? '') };
  }
  if (event.action === 'start' && event.type === activity.copyPath) {
    return { kind: 'copy-start', id, path: String(first) };
  }
  if (event.action === 'result' && event.type === buildLogLine) {
    return { kind: 'log-line', id, line: stripVTControlCharacters(String(first)) };
  }
  if (event.action === 'stop') return { kind: 'stop', id };
  if (event.action === 'msg') {
    return {
      kind: 'message',
      level: event.level ?? 0,
      text: stripVTControlCharacters(event.raw_msg ?? event.msg ?? ''),
    };
  }
  return null;
}
