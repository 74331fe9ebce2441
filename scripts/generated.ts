import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Input } from '../src/input.ts';
import { inputs } from '../src/inputs.ts';
import { inputsOfComment, inputsOfStep } from '../src/step.ts';

/** Each action's inputs. */
const actions: Record<string, readonly string[]> = {
  'action.yml': inputsOfStep.run,
  'setup/action.yml': inputsOfStep.setup,
  'plan/action.yml': inputsOfStep.plan,
  'deploy/action.yml': inputsOfStep.deploy,
  'comment/action.yml': inputsOfComment,
};

/** The files with parts that are generated from src/: path → text. The parts that are written by hand are not changed. */
export function generated(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [path, names] of Object.entries(actions)) {
    files[path] = replace(path, /^inputs:\n(?:[ \n].*\n?)*?(?=^(?:outputs|runs):)/m, actionInputs(names));
  }
  files['README.md'] = replace('README.md', /^\| input \|.*\n(?:\|.*\n)*/m, readmeTable());
  return files;
}

function actionInputs(names: readonly string[]): string {
  const declared = names.map(name => {
    const { description, default: value } = inputs.get(name) as Input<unknown>;
    return [name, { description, required: false, ...(value === '' ? {} : { default: value }) }];
  });
  return stringify({ inputs: Object.fromEntries(declared) }, { lineWidth: 120, singleQuote: true });
}

/** The inputs of the actions; those that only a command has are in its `--help`. */
function readmeTable(): string {
  const names = Object.values(actions).flat();
  const rows = [...inputs]
    .filter(([name]) => names.includes(name))
    .map(
      ([name, { default: value, description }]) =>
        `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${description.replaceAll('|', '\\|')} |\n`,
    );
  return `| input | default | meaning |\n|---|---|---|\n${rows.join('')}`;
}

function replace(path: string, part: RegExp, text: string): string {
  const before = readFileSync(path, 'utf8');
  if (!part.test(before)) throw new Error(`${path} has no section for the inputs`);
  return before.replace(part, () => text);
}
