import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

type Environment = Record<string, string | undefined>;

/** Variables with secrets: inputs, tokens of the job, the variables of the command line for secrets, and secrets of hosts. */
const secret =
  /^(INPUT_.*|ACTIONS_RUNTIME_TOKEN|ACTIONS_ID_TOKEN_REQUEST_(TOKEN|URL)|(GITHUB|GH)_TOKEN|FERRY_(DEPLOY_KEY|SIGNING_KEY|GITHUB_TOKEN|SECRET_.*))$/;

/** Read by @actions/artifact and @actions/cache from `process.env`, whenever they are called. */
const neededHere = ['ACTIONS_RUNTIME_TOKEN'];

/** Files from which the runner takes what a step sets for later steps, such as PATH: no child may write to them. */
const commandFiles = /^GITHUB_(ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)$/;

/**
 * Takes the secrets out of the environment of this process: neither `/proc/<pid>/environ` nor any child process has them
 * afterwards. Must be called before anything else is done.
 *
 * `own.env` is replaced by an object in which what only this process needs is not enumerable: it can be read by its name,
 * but `child_process` and copies do not contain it.
 *
 * @returns the whole environment as it was, and whether the kernel's copy could be cleared (proc_pid_environ(5)).
 */
export function takeEnvironment(own: { env: Environment; platform: string }): { given: Environment; cleared: boolean } {
  const given = { ...own.env };
  const names = Object.keys(given).filter(name => secret.test(name));
  // First from libc's list, so that nothing reads the memory that is cleared.
  for (const name of names) delete own.env[name];
  const cleared = names.length === 0 || own.platform !== 'linux' || clear(names);

  const visible: Environment = {};
  for (const [name, value] of Object.entries(given)) {
    if (secret.test(name) && !neededHere.includes(name)) continue;
    const enumerable = !secret.test(name) && !commandFiles.test(name);
    Object.defineProperty(visible, name, { value, enumerable, writable: true, configurable: true });
  }
  own.env = visible;
  return { given, cleared };
}

/** The secrets of hosts in an environment: the variables `FERRY_SECRET_<name>`, by name. */
export function secretVariablesIn(given: Readonly<Environment>): Record<string, string> {
  const prefix = 'FERRY_SECRET_';
  const found = Object.entries(given).flatMap(([name, value]) =>
    name.startsWith(prefix) && value !== undefined ? [[name.slice(prefix.length), value]] : [],
  );
  return Object.fromEntries(found) as Record<string, string>;
}

/**
 * Overwrites the variables in the memory that the kernel gave this process its environment in: its bounds are the fields
 * env_start and env_end of proc_pid_stat(5).
 */
function clear(names: readonly string[]): boolean {
  try {
    // The second field is the program's name in parentheses; it may contain anything.
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const start = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[50 - 3]);
    const memory = readFileSync('/proc/self/environ');
    const file = openSync('/proc/self/mem', 'r+');
    try {
      for (let from = 0, to = memory.indexOf(0); to >= 0; from = to + 1, to = memory.indexOf(0, from)) {
        const name = memory.toString('utf8', from, to).split('=', 1)[0] ?? '';
        if (names.includes(name)) writeSync(file, Buffer.alloc(to - from), 0, to - from, start + from);
      }
    } finally {
      closeSync(file);
    }
    const left = readFileSync('/proc/self/environ', 'utf8').split('\0');
    return !left.some(entry => names.includes(entry.split('=', 1)[0] ?? ''));
  } catch {
    return false;
  }
}
