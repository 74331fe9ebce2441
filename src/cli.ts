#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Context, Log, Stage } from './context.ts';
import { demoCommand } from './demo-command.ts';
import { endLeftSession } from './deploy/index.ts';
import { explain, type Place, UserError } from './errors.ts';
import { exec } from './exec.ts';
import { help, readFlags } from './flags.ts';
import { readInputs } from './inputs.ts';
import { nearest } from './nearest.ts';
import { type Ports, run } from './pipeline.ts';
import { openProgress, type Progress, type Run, report, text, verdict } from './report/index.ts';
import { stateKey, teardown } from './setup/index.ts';
import { inputsOfStep, type Step } from './step.ts';
import { version } from './version.ts';

const commands: Record<Exclude<Step, 'setup'>, string> = {
  plan: 'Evaluate the hosts and say what would be built and where it would go.',
  build: "Build each host's closure.",
  archive: "Build each host's closure and keep it as files that Nix can import, in ./archives.",
  deploy: 'Build the hosts, or take them from archives (--from, --archive DIR), and activate them on their targets.',
  run: 'All of it: plan, build, archive, deploy.',
};

/** Exit codes, as the README lists them. */
const exitCodes = {
  ok: 0,
  defect: 1,
  input: 2,
  setup: 3,
  plan: 4,
  build: 5,
  archive: 6,
  deploy: 7,
  cancelled: 130,
} as const;

const overview = `ferry ${version}: carries NixOS from a repository to running machines.

ferry COMMAND [flags]

${Object.entries({ ...commands, demo: 'Carry an example fleet to machines inside this one, and show it.' })
  .map(([name, about]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}

ferry COMMAND --help tells a command's flags. Exit codes: 0 all is as asked; 1 a defect of ferry; 2 wrong input;
3 Nix cannot be set up; 4 a host cannot be evaluated; 5 a host cannot be built; 6 an archive cannot be made;
7 a target is not as asked; 130 cancelled.
`;

/** Runs a command line. @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [command = '--help', ...rest] = args;
  if (command === '--version') return say(`${version}\n`);
  if (command === '--help' || command === '-h' || command === 'help') return say(overview);
  if (command === 'demo') return exitCodes[await demoCommand(rest, contextOf, portsOf)];
  if (!(command in commands)) {
    const meant = nearest(command, [...Object.keys(commands), 'demo']);
    throw new UserError(`There is no command '${command}'.`, {
      cure: meant === null ? '`ferry --help` lists them.' : `Did you mean ${meant}?`,
    });
  }
  const step = command as keyof typeof commands;
  const allowed = inputsOfStep[step];
  // In `deploy` nothing is archived: there, --archive says what is deployed.
  const words = step === 'deploy' ? rest.map(word => word.replace(/^--archive(?==|$)/, '--from')) : rest;
  const flags = readFlags(words, allowed, process.env);
  if (flags.switches.has('help')) return say(help(`ferry ${step} [flags]`, commands[step], allowed));
  const [extra] = flags.words;
  if (extra !== undefined)
    throw new UserError(`'${extra}' is no flag.`, { cure: `\`ferry ${step} --help\` lists them.` });
  const config = readInputs(flags.inputs, name => `--${name}`, allowed);
  // No child shall inherit a key.
  for (const name of Object.keys(process.env)) if (name.startsWith('FERRY_')) delete process.env[name];

  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'ferry-')));
  const progress = openProgress(process.stderr, process.env.CI === undefined && process.env.TERM !== 'dumb');
  const context = contextOf(progress, scratch);
  try {
    const state = new Map<string, string>();
    const done = await run(step, config, portsOf(scratch, state), context).finally(async () => {
      progress.end();
      await endLeftSession(scratch, context.exec);
      await teardown(state.get(stateKey), context);
    });
    await report(done, context.log, null);
    process.stdout.write(flags.switches.has('json') ? json(done) : text(done));
    return exitCodeOf(done, context);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function say(what: string): number {
  process.stdout.write(what);
  return exitCodes.ok;
}

function contextOf(progress: Progress, scratch: string): Context {
  const secrets: string[] = [];
  const line = (kind: string, message: string, where?: Place): void => {
    const place = where?.file === undefined ? '' : `${where.file}:${where.line ?? 1}: `;
    progress.line(secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), `${kind}${place}${message}`));
  };
  const log: Log = {
    debug: message => (process.env.FERRY_DEBUG === '1' ? line('debug: ', message) : undefined),
    info: message => line('', message),
    notice: (message, where) => line('note: ', message, where),
    warning: (message, where) => line('warning: ', message, where),
    error: (message, where) => line('error: ', message, where),
    secret: secret => secrets.push(secret),
  };
  const cancelled = new AbortController();
  process.once('SIGINT', () => cancelled.abort()).once('SIGTERM', () => cancelled.abort());
  return { exec, log, progress: event => progress.event(event), signal: cancelled.signal, scratch };
}

function portsOf(scratch: string, state: Map<string, string>): Ports {
  const cache = process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? scratch, '.cache');
  return {
    setup: {
      saveState: (key, value) => {
        state.set(key, value);
        writeFileSync(join(scratch, `state-${key}`), value);
      },
    },
    artifacts: null,
    archives: join(process.cwd(), 'archives'),
    planCache: join(cache, 'nix-ferry', 'plans'),
    repository: null,
    run: null,
    who: `${userInfo().username}@${hostname()}`,
    environment: process.env,
  };
}

/** The run as JSON; of a closure only the paths, since hosts share most of them. */
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
  // What ended the run ended the last stage that was begun; else the first stage in which a host failed.
  const stage = run.error === null ? failures[0]?.stage : (Object.keys(run.timings).at(-1) as Stage | undefined);
  return stage === undefined || stage === 'report' ? exitCodes.defect : exitCodes[stage];
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const wrong = error instanceof UserError;
  process.stderr.write(`ferry: ${wrong ? explain(error) : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = wrong ? exitCodes.input : exitCodes.defect;
}
