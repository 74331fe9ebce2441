import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Adapter } from '../evaluation/adapter.ts';
import type { Source } from '../source.ts';
import { detect } from './detect.ts';
import { type Format, formatNames, formats } from './index.ts';

/** The format of a source, and how the source is evaluated. */
export interface Choice {
  format: Format;
  /** Why the format was chosen, in words; null if the user chose it. */
  detected: string | null;
  adapter: Adapter;
  /** The file that the evaluation starts from, relative to the source's folder. */
  main: string;
}

/**
 * Finds out how a source is evaluated, and detects its format if the input `format` is `auto`.
 *
 * @throws UserError if the format cannot be detected, and for files or arguments that the format does not accept.
 */
export async function chooseFormat(source: Source, wanted: 'auto' | Format): Promise<Choice> {
  const { format, main, why } =
    wanted === 'auto' ? await detect(source) : { format: wanted, main: mainFile(wanted, source), why: null };
  checkAccepted(format, source);
  return { format, detected: why, adapter: await formats[format].adapter(main, source), main };
}

/** The main file of a source in this format. @throws UserError if it has none. */
function mainFile(format: Format, { folder, files }: Source): string {
  const { mainFiles, flakeOutputs, find } = formats[format];
  const usual = flakeOutputs === undefined ? mainFiles : [...mainFiles, 'flake.nix'];
  const existing = find?.(folder) ?? usual.filter(name => existsSync(join(folder, name)));
  const [main] = files.length > 0 ? files : existing;
  if (main !== undefined) return main;
  throw new UserError(`There is no ${usual.join(' and no ')} in ${folder}.`, {
    where: { input: 'source' },
    cure: `Set \`source\` to the folder of the ${format} configuration, or to its file.`,
  });
}

function checkAccepted(format: Format, { files, inputs }: Source): void {
  const { severalFiles = false, arguments: takesArguments = false, attribute = false } = formats[format];
  if (inputs.attribute !== null && !attribute) {
    throw new UserError(`${format} has no use for an attribute, but ${JSON.stringify(inputs.attribute)} is given.`, {
      where: { input: 'attribute' },
      cure: 'Remove it, and select hosts with `hosts`; only `format: expression` starts from an attribute.',
    });
  }
  if (files.length > 1 && !severalFiles) {
    throw new UserError(`${format} starts from one file, but \`source\` names ${files.join(', ')}.`, {
      where: { input: 'source' },
      cure: 'Name only the file to start from.',
    });
  }
  const [name] = Object.keys(inputs.arguments);
  if (name !== undefined && !takesArguments) {
    const taking = formatNames.filter(other => formats[other].arguments === true);
    throw new UserError(`${format} takes no arguments, but ${JSON.stringify(name)} is given.`, {
      where: { input: 'arguments' },
      cure: `Remove it; only these formats take arguments: ${taking.join(', ')}.`,
    });
  }
}
