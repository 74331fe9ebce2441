/**
 * Text that GitHub's runner takes for no workflow command, whatever it contains.
 *
 * The runner reads `::name::` at the beginning of a line, after white space, and `##[name]` anywhere in a line
 * (actions/runner, ActionCommand.cs); a carriage return also ends a line. A command could set masks, or stop the commands
 * of the rest of the step. A space is inserted, so that the text can still be read.
 */
export function withoutCommands(text: string): string {
  return text.replaceAll(/(^|[\r\n])([\s\u0085]*):(?=:)/g, '$1$2: ').replaceAll('##[', '# #[');
}
