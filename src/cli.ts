import type { Context, Stage } from './context.ts';
import { demoCommand } from './demo-command.ts';
import { secretVariablesIn } from './environment.ts';
import { explain, UserError } from './errors.ts';
import { type Flags, help, readFlags } from './flags.ts';
import { type Config, readInputs } from './inputs.ts';
import { nearest } from './nearest.ts';
import { optionOf, run } from './pipeline.ts';
import { type Run, report, text, verdict } from './report/index.ts';
import { inputsOfMode, inputsOfStep, type Step } from './step.ts';
import { targetSetupAbout, targetSetupCommand } from './target-setup-command.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { version } from './version.ts';

interface Command {
  usage: string;
  about: string;
  /** The step whose inputs are its flags. */
  step: Step;
  /** The number of words that are not flags. */
  words: number;
  /** The mode that it always has, so that the inputs that only others need are not accepted. */
  mode?: keyof typeof inputsOfMode;
}

const commands: Record<string, Command> = {
  plan: one('plan', 'Evaluate the hosts and show what would be built and where it would be deployed.'),
  build: one('build', "Build each host's closure."),
  archive: one('archive', "Build each host's closure and write it to ./archives, as files that Nix can import."),
  preview: {
    usage: 'ferry preview [flags]',
    about: 'Build the hosts and show what would change on their targets, which are only asked.',
    ...{ step: 'deploy', words: 0, mode: 'preview' },
  },
  deploy: one(
    'deploy',
    'Build the hosts, or read archives (--from DIR or --archive DIR), and activate them on the targets.',
  ),
  secrets: {
    usage: 'ferry secrets [flags]',
    about: 'Send the secrets of the hosts to their targets, as after a reboot, and activate nothing.',
    ...{ step: 'deploy', words: 0, mode: 'secrets' },
  },
  run: one('run', 'Do all of this: plan, build, archive, deploy.'),
  option: {
    usage: 'ferry option HOST OPTION [flags]',
    about: "Print the final value of an option of a host's configuration, as JSON.",
    step: 'plan',
    words: 2,
  },
};

function one(step: Step, about: string): Command {
  return { usage: `ferry ${step} [flags]`, about, step, words: 0 };
}

/** The commands that are no steps of the pipeline. */
const others = {
  'target-setup': targetSetupAbout,
  demo: 'Deploy an example fleet to machines that run inside this one.',
};

/** Exit codes; the README lists them too. */
const exitCodes = {
  ok: 0,
  defect: 1,
  input: 2,
  setup: 3,
  plan: 4,
  build: 5,
  archive: 6,
  preview: 7,
  deploy: 7,
  cancelled: 130,
} as const;

const overview = `ferry ${version}: builds NixOS hosts from a repository and deploys them.

ferry COMMAND [flags]

${[...Object.entries(commands).map(([name, { about }]) => [name, about] as const), ...Object.entries(others)]
  .map(([name, about]) => `  ${name.padEnd(14)}${about}`)
  .join('\n')}

Run ferry COMMAND --help for the flags of a command.

Exit codes: 0 success; 1 internal error; 2 wrong input; 3 Nix cannot be set up; 4 a host cannot be evaluated;
5 a host cannot be built; 6 an archive cannot be made; 7 a target did not reach the requested state; 130 cancelled.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs the command line of this process and sets its exit code.
 *
 * @param given the environment with the variables for secrets.
 */
export async function cli(given: Environment): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2), given);
  } catch (error) {
    const wrong = error instanceof UserError;
    process.stderr.write(`ferry: ${wrong ? explain(error) : error instanceof Error ? error.stack : error}\n`);
    process.exitCode = wrong ? exitCodes.input : exitCodes.defect;
  }
}

/** @returns the exit code. */
async function main(args: readonly string[], environment: Environment): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--version') return print(`${version}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return print(overview);
  if (name === 'demo') return exitCodes[await demoCommand(rest)];
  if (name === 'target-setup') return exitCodes[await targetSetupCommand(rest, environment, process.env)];
  const command = commands[name];
  if (command === undefined) {
    const meant = nearest(name, [...Object.keys(commands), ...Object.keys(others)]);
    throw new UserError(`There is no command '${name}'.`, {
      cure: meant === null ? '`ferry --help` lists the commands.' : `Did you mean ${meant}?`,
    });
  }
  const { usage, about, step } = command;
  const allowed = command.mode === undefined ? inputsOfStep[step] : inputsOfMode[command.mode];
  // `deploy` makes no archives: there, --archive names the archives to deploy.
  const words = name === 'deploy' ? rest.map(word => word.replace(/^--archive(?==|$)/, '--from')) : rest;
  const flags = readFlags(words, allowed, environment);
  if (flags.switches.has('help')) return print(help(usage, about, allowed));
  if (flags.words.length !== command.words) {
    const extra = flags.words[command.words];
    throw new UserError(
      extra === undefined ? `Missing arguments: the command is \`${usage}\`.` : `Unexpected argument '${extra}'.`,
      {
        cure: `\`ferry ${name} --help\` lists the flags.`,
      },
    );
  }
  const { mode } = command;
  const given = mode === undefined ? flags.inputs : { ...flags.inputs, mode };
  const config = readInputs(given, input => `--${input}`, mode === undefined ? allowed : [...allowed, 'mode']);
  const terminal = await openTerminal(process.env, secretVariablesIn(environment));
  try {
    return name === 'option'
      ? await printOption(flags, config, terminal)
      : await runStep(step, flags, config, terminal);
  } finally {
    await terminal.close();
  }
}

async function runStep(step: Step, flags: Flags, config: Config, terminal: Terminal): Promise<number> {
  const done = await terminal.within(ports => run(step, config, ports, terminal.context));
  await report(done, terminal.context.log, null);
  process.stdout.write(flags.switches.has('json') ? json(done) : text(done, inColour(process.stdout, process.env)));
  return exitCodeOf(done, terminal.context);
}

/** Whether to print colours: on a terminal, unless `NO_COLOR` (no-color.org) is set. */
function inColour({ isTTY }: NodeJS.WriteStream, { NO_COLOR, TERM }: Environment): boolean {
  return isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}

async function printOption({ words }: Flags, config: Config, terminal: Terminal): Promise<number> {
  const [host = '', path = ''] = words;
  const value = await terminal.within(ports => optionOf(host, path, config, ports, terminal.context));
  return print(`${JSON.stringify(value, null, 2)}\n`);
}

function print(what: string): number {
  process.stdout.write(what);
  return exitCodes.ok;
}

/** The run as JSON. A closure is only its paths, because hosts share most of them. */
function json(run: Run): string {
  return `${JSON.stringify(
    run,
    (key, value) => (key === 'closure' && Array.isArray(value) ? value.map(({ path }) => path) : value),
    2,
  )}\n`;
}

function exitCodeOf(run: Run, context: Context): number {
  if (context.signal.aborted) return exitCodes.cancelled;
  const { ok, failures } = verdict(run);
  if (ok) return exitCodes.ok;
  if (run.error?.where?.input !== undefined) return exitCodes.input;
  // An error that ended the run belongs to the last stage that was started; else the first stage in which a host failed.
  const stage = run.error === null ? failures[0]?.stage : (Object.keys(run.timings).at(-1) as Stage | undefined);
  return stage === undefined || stage === 'report' ? exitCodes.defect : exitCodes[stage];
}
