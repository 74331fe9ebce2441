/** A value for a script on a target: its name, and its bytes in base64. */
export type Value = readonly [name: string, base64: string];

/** The lines in which values travel over standard input: `@ NAME` begins one, its base64 follows, and `.` is the last line. */
export function valueLines(values: readonly Value[]): string {
  return `${values.map(([name, base64]) => `@ ${name}\n${inLines(base64)}`).join('')}.\n`;
}

/** Values as one text, whose digest can be signed: a line `NAME BASE64` for each. */
export function fieldLines(values: readonly Value[]): string {
  return values.map(([name, base64]) => `${name} ${base64}\n`).join('');
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Programs that read text may limit the length of a line. */
function inLines(base64: string): string {
  return base64.replaceAll(/.{1,76}/g, '$&\n');
}
