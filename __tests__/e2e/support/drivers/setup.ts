// Runs the set-up stage inside a machine of the testbed, as its entry does. The argument is an Order in JSON; the last line
// of output is an Answer. Without Order.end nothing is torn down.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../../../src/context.ts';
import { type Exec, exec } from '../../../../src/exec.ts';
import { readInputs } from '../../../../src/inputs.ts';
import { prepareSystems, type Setup, type SetupConfig, setup, teardown } from '../../../../src/setup/index.ts';

/** The file in which a run saves its state; __tests__/e2e/support/setup.ts has the same path. */
const stateFile = '/var/tmp/state';

export interface Order {
  config?: Partial<SetupConfig>;
  /** Derivations to prepare for and to build: Nix expressions with their systems. */
  derivations?: { name: string; system: string; expression: string }[];
  /** `kill`: SIGKILL to itself when all else is done. */
  end?: 'teardown' | 'kill';
  /** Only tears down this state. */
  state?: string;
}

export interface Answer {
  error: { name: string; message: string; cure: string | null } | null;
  /** `level: message`. */
  log: string[];
  version: string | null;
  state: string;
  outputs: string[];
  /** The commands that the stage ran, until it was torn down. */
  started: string[];
  /** What Nix printed while it built. */
  built: string;
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
const log: string[] = [];
const say =
  (level: string) =>
  (message: string): void => {
    log.push(`${level}: ${message}`);
    console.error(`${(performance.now() / 1000).toFixed(3)} ${level}: ${message}`);
  };
const started: string[] = [];
const counted: Exec = (command, args, options) => {
  started.push([command, ...args].join(' '));
  return exec(command, args, options);
};
const context: Context = {
  exec: counted,
  query: counted,
  log: {
    debug: say('debug'),
    info: say('info'),
    notice: say('notice'),
    warning: say('warning'),
    error: say('error'),
    secret: () => undefined,
  },
  progress: () => undefined,
  signal: new AbortController().signal,
  scratch: mkdtempSync('/var/tmp/ferry-'),
  environment: process.env,
};
const answer: Answer = { error: null, log, version: null, state: '', outputs: [], started, built: '' };

async function work(): Promise<void> {
  const ports = {
    saveState: (_key: string, value: string): void => {
      answer.state = value;
      // For the teardown after a kill.
      writeFileSync(stateFile, value);
    },
  };
  const config: SetupConfig = {
    ...readInputs({}, name => name).setup,
    daemon: 'own',
    environment: process.env,
    builds: true,
    ...order.config,
  };
  let setUp = await setup(config, context, ports);
  answer.version = setUp.nix.version;
  const derivations = (order.derivations ?? []).map(each => ({ ...each, drvPath: instantiate(each, setUp) }));
  const fleet = { hosts: derivations, lock: 'lock' };
  setUp = await prepareSystems(setUp, fleet, context, ports);
  for (const { drvPath } of derivations) {
    const script = 'exec "$0/nix-store" --realise "$1" 2>&1';
    const { status, stdout } = spawnSync('sh', ['-c', script, setUp.found.bin, drvPath], { env: environment(setUp) });
    const printed = stdout.toString();
    if (status !== 0) throw new Error(printed);
    answer.built += printed;
    answer.outputs.push(printed.trim().split('\n').at(-1) ?? '');
  }
}

function environment(setUp: Setup): NodeJS.ProcessEnv {
  return { ...process.env, ...setUp.nix.env };
}

function instantiate({ expression, name }: { name: string; expression: string }, setUp: Setup): string {
  const file = join(context.scratch, `${name}.nix`);
  writeFileSync(file, expression);
  const argv = [file, '--add-root', join(context.scratch, `${name}.drv`), '--indirect'];
  execFileSync(join(setUp.found.bin, 'nix-instantiate'), argv, { env: environment(setUp) });
  return execFileSync('readlink', ['-f', join(context.scratch, `${name}.drv`)])
    .toString()
    .trim();
}

if (order.state !== undefined) {
  await teardown(order.state, context);
} else {
  try {
    await work();
  } catch (error) {
    const { name, message, cure } = error as Error & { cure?: string };
    answer.error = { name, message, cure: cure ?? null };
    if (name === 'Error') console.error(error);
  }
  if (order.end === 'teardown') await teardown(answer.state, context);
}
console.log(JSON.stringify(answer));
if (order.end === 'kill') process.kill(process.pid, 'SIGKILL');
