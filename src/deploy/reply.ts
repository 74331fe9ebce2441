/** What the activation script printed: its `key=value` lines and the lines of the log, which it marks with ": ". */
export interface Reply {
  values: Map<string, string>;
  log: string[];
}

/** Called with what arrives while the script is still running. */
export interface ReplyEvents {
  onLog?: ((line: string) => void) | undefined;
  /** Called with each phase that an activation enters. */
  onPhase?: ((phase: string) => void) | undefined;
}

/**
 * The most that is kept of what a target prints, whatever it is: lines of a log, values, and characters of each. The longest
 * honest values are lists of units.
 */
export const mostKept = { lines: 20_000, values: 200, characters: 64 * 1024 } as const;

/** Collects a reply from lines of standard output. */
export function replyReader({ onLog, onPhase }: ReplyEvents = {}): { reply: Reply; read: (line: string) => void } {
  const reply: Reply = { values: new Map(), log: [] };
  const read = (line: string): void => {
    if (line.startsWith(': ')) {
      const text = line.slice(2, 2 + mostKept.characters);
      if (reply.log.length < mostKept.lines) reply.log.push(text);
      onLog?.(text);
      return;
    }
    // A target may print a greeting in every session. It contains no known key.
    const at = line.indexOf('=');
    if (at <= 0) return;
    const [key, value] = [line.slice(0, at), line.slice(at + 1, at + 1 + mostKept.characters)];
    if (!/^[a-z][a-z0-9.-]{0,60}$/.test(key)) return;
    if (!reply.values.has(key) && reply.values.size >= mostKept.values) return;
    // A status has a key of that name too.
    if (key === 'phase' && !reply.values.has('result')) onPhase?.(value);
    reply.values.set(key, value);
  };
  return { reply, read };
}
