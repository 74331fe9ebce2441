/** What `target/activate.sh` printed: its `key=value` lines and the lines of the log, which it marks with ": ". */
export interface Reply {
  values: Map<string, string>;
  log: string[];
}

/** Collects a reply from lines of standard output. */
export function replyReader(): { reply: Reply; read: (line: string) => void } {
  const reply: Reply = { values: new Map(), log: [] };
  const read = (line: string): void => {
    if (line.startsWith(': ')) reply.log.push(line.slice(2));
    else {
      // A target may print a greeting in every session. It contains no known key.
      const at = line.indexOf('=');
      if (at > 0) reply.values.set(line.slice(0, at), line.slice(at + 1));
    }
  };
  return { reply, read };
}
