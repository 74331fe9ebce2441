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

/** Collects a reply from lines of standard output. */
export function replyReader({ onLog, onPhase }: ReplyEvents = {}): { reply: Reply; read: (line: string) => void } {
  const reply: Reply = { values: new Map(), log: [] };
  const read = (line: string): void => {
    if (line.startsWith(': ')) {
      reply.log.push(line.slice(2));
      onLog?.(line.slice(2));
      return;
    }
    // A target may print a greeting in every session. It contains no known key.
    const at = line.indexOf('=');
    if (at <= 0) return;
    const [key, value] = [line.slice(0, at), line.slice(at + 1)];
    // A status has a key of that name too.
    if (key === 'phase' && !reply.values.has('result')) onPhase?.(value);
    reply.values.set(key, value);
  };
  return { reply, read };
}
