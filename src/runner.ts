import type { Log } from './context.ts';
import type { Place } from './errors.ts';

type Core = typeof import('@actions/core');

/** Says things the way the runner shows them: workflow commands for notices, warnings and errors, plain lines else. */
export function runnerLog(core: Core): Log {
  return {
    debug: message => core.debug(message),
    info: message => core.info(message),
    notice: (message, where) => core.notice(message, properties(where)),
    warning: (message, where) => core.warning(message, properties(where)),
    error: (message, where) => core.error(message, properties(where)),
    secret: text => {
      // The runner masks line by line; a key's lines must each be told.
      for (const line of text.split('\n')) if (line.trim().length > 3) core.setSecret(line.trim());
    },
  };
}

function properties(where: Place | undefined): Parameters<Core['error']>[1] {
  if (where === undefined) return {};
  return {
    ...(where.host === undefined ? {} : { title: where.host }),
    ...(where.file === undefined ? {} : { file: where.file }),
    ...(where.line === undefined ? {} : { startLine: where.line }),
    ...(where.column === undefined ? {} : { startColumn: where.column }),
  };
}
