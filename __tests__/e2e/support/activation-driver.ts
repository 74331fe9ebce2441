import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import { buildSystems } from './deploy-fixture.ts';
import { repository } from './machine.ts';
import { type Key, type Target, until } from './target.ts';

const directory = join(repository, 'target/activation');

/** The script as it is sent: its files in one, main.sh last. */
export const script = [...readdirSync(directory).filter(name => name !== 'main.sh'), 'main.sh']
  .map(name => readFileSync(join(directory, name), 'utf8'))
  .join('');

const all: readonly string[] =
  /^phases='(.*)'$/m.exec(readFileSync(join(directory, 'phases.sh'), 'utf8'))?.[1]?.split(' ') ?? [];

/** The phases of an activation without a reboot, from the script's own list. */
export const phases: readonly string[] = all.filter(phase => phase !== 'reboot');

/** The phases of an activation with a reboot, from its reboot on: those before it do not depend on it. */
export const rebootPhases: readonly string[] = all.slice(all.indexOf('reboot'));

/** What a verb answered: its values, the log, and the phases in the order in which they were shown. */
export interface Answers {
  values: Record<string, string>;
  log: string[];
  phases: string[];
}

function read(text: string): Answers {
  const answers: Answers = { values: {}, log: [], phases: [] };
  for (const line of text.split('\n')) {
    if (line.startsWith(': ')) answers.log.push(line.slice(2));
    const [, key, value] = /^([a-z.-]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    if (key === 'phase' && !('result' in answers.values)) answers.phases.push(value);
    else answers.values[key] = value;
  }
  return answers;
}

/** What a machine is, as far as an activation may change it, and what it may have left behind. */
export interface State {
  current: string | null;
  profile: string | null;
  /** Where the profile's link leads: its generation. */
  generation: string;
  generations: [number, string][];
  /** The init of the default entry of systemd-boot. */
  boot: string;
  worker: string;
  left: string[];
}

/** Runs the verbs of the script as root on a target, without SSH, and plays the runner and the disasters. */
export class Activations {
  readonly target: Target;
  readonly shell: readonly string[];
  readonly #login: readonly string[];
  readonly #toplevels: Record<string, string>;
  readonly #runs = new Set<string>();

  constructor(
    target: Target,
    toplevels: Record<string, string>,
    shell: readonly string[] = ['sh'],
    login: readonly string[] = [],
  ) {
    this.target = target;
    this.#login = login;
    this.shell = shell;
    this.#toplevels = toplevels;
    mkdirSync(target.machine.path('/run/gate'), { recursive: true });
  }

  /** A target that has the systems of an expression in fixtures/ in its store. */
  static async start(target: Target, nix: Nix, key: Key, file = 'activation-systems.nix'): Promise<Activations> {
    const toplevels = await buildSystems(nix, target.system, file);
    const login = sshOptions(target, key);
    const store = `ssh-ng://root@${target.address}`;
    await nix.run('nix', ['copy', '--no-check-sigs', '--to', store, ...Object.values(toplevels)], {
      env: { ...process.env, NIX_SSHOPTS: login.join(' ') },
    });
    return new Activations(target, toplevels, ['sh'], login);
  }

  toplevel(name: string): string {
    const path = this.#toplevels[name];
    if (path === undefined) throw new Error(`no system ${name}`);
    return path;
  }

  /** Calls a verb, as `ssh … sh -c` does. */
  async call(verb: string, ...args: string[]): Promise<Answers> {
    const words = [...this.shell, '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
    return read((await this.target.machine.run(words, { input: script, timeout: 300_000 })).stdout);
  }

  /** The same over a connection of its own, as the user `deploy`, who may sudo. */
  async callOverSsh(verb: string, ...args: string[]): Promise<Answers> {
    const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
    const words = ['sudo', '-n', ...this.shell, '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
    const login = [...this.#login, '-T', `deploy@${this.target.address}`];
    const { stdout } = await exec('ssh', [...login, words.map(quote).join(' ')], { input: script, timeout: 60_000 });
    return read(stdout);
  }

  /** A new identifier of a run. */
  id(): string {
    const id = `t${this.#runs.size}-${Math.random().toString(36).slice(2, 8)}`;
    this.#runs.add(id);
    return id;
  }

  /** Starts a run of the system `name` and follows it to its end. Limits are short, so that a test sees them pass. */
  run(id: string, mode: string, name: string, spec: Record<string, string> = {}): Promise<Answers> {
    return this.call('run', id, ...this.#spec(mode, name, spec));
  }

  #spec(mode: string, name: string, spec: Record<string, string>): string[] {
    const all = {
      mode,
      toplevel: name.startsWith('/') ? name : this.toplevel(name),
      who: 'acme/fleet run 7 by jo',
      host: 'web',
      'step-limit': '10',
      'activate-limit': '60',
      ...spec,
    };
    return Object.entries(all).map(([key, value]) => `${key}=${value}`);
  }

  /** Runs it to its end and forgets it, confirming it when it waits for that. */
  async deploy(mode: string, name: string, spec: Record<string, string> = {}): Promise<Answers> {
    const id = this.id();
    const answers = await this.run(id, mode, name, spec);
    await this.call('finish', id);
    return answers;
  }

  /** Forgets every run, as a runner does in the end. */
  async forgetAll(): Promise<void> {
    for (const id of this.#runs) {
      if (existsSync(this.target.machine.path(`/run/nix-ferry/${id}`))) await this.call('finish', id);
    }
  }

  /** Cuts its power and starts it again: a new /run, and nobody who works on a run. */
  async powerCycle(): Promise<void> {
    await this.target.powerCut();
    await this.target.powerOn();
    mkdirSync(this.target.machine.path('/run/gate'), { recursive: true });
  }

  /** Puts something in the way on the machine: see activation-systems.nix. Null: takes it away. */
  gate(name: string, value: string | null): void {
    const file = this.target.machine.path(`/run/gate/${name}`);
    if (value === null) rmSync(file, { force: true });
    else writeFileSync(file, value);
  }

  openGates(): void {
    for (const name of readdirSync(this.target.machine.path('/run/gate'))) this.gate(name, null);
  }

  /** Waits until something is held at a gate. */
  async heldAt(name: string): Promise<void> {
    await until(async () => {
      if (!existsSync(this.target.machine.path(`/run/gate/at-${name}`))) throw new Error('not yet');
    }, `the gate ${name}`);
  }

  /** The identifiers of the runs that the machine knows, those of a runner too. */
  runs(): string[] {
    const directory = this.target.machine.path('/run/nix-ferry');
    if (!existsSync(directory)) return [];
    // Those with a dot hold secrets of a run.
    const isRun = /^[^.]+$/;
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && isRun.test(entry.name))
      .map(({ name }) => name);
  }

  /** Waits until a run shows this phase. */
  async inPhase(id: string, phase: string): Promise<void> {
    await until(async () => {
      const now = readFileSync(this.target.machine.path(`/run/nix-ferry/${id}/phase`), 'utf8').trim();
      if (now !== phase) throw new Error(`in phase ${now}`);
    }, `phase ${phase}`);
  }

  async state(): Promise<State> {
    const { target } = this;
    const boot =
      'e=$(sed -n "s/^default //p" /boot/loader/loader.conf) && sed -n "s/.*init=\\([^ ]*\\)\\/init.*/\\1/p" "/boot/loader/entries/$e"; :';
    return {
      current: await target.currentSystem(),
      profile: await target.profile(),
      generation: await target.says('sh', '-c', 'readlink /nix/var/nix/profiles/system; :'),
      generations: [...(await target.generations())].sort(([a], [b]) => a - b),
      boot: await target.says('sh', '-c', boot),
      worker: (await target.unit('worker.service')).Environment ?? '',
      left: await this.left(),
    };
  }

  /**
   * What a finished run must not leave: roots, run directories, the open record, units (the module's own one is always
   * there), timers, processes, locks.
   */
  async left(): Promise<string[]> {
    const look = `
      ls -d /nix/var/nix/gcroots/nix-ferry/* /var/lib/nix-ferry/activating* /var/lib/nix-ferry/*.new 2>/dev/null
      find /run/nix-ferry -mindepth 1 -maxdepth 1 -type d
      systemctl list-units --all --plain --no-legend 'nix-ferry-*' | cut -d ' ' -f 1 | grep -v '^nix-ferry-settle'
      ls /run/systemd/transient | grep nix-ferry
      pgrep -af '[/]run/nix-ferry/.* (supervise|switchback)'
      flock -n /run/nix-ferry/lock true || echo 'the lock is held'
      :`;
    return (await this.target.says('sh', '-c', look)).split('\n').filter(line => line !== '');
  }
}

/** How ssh reaches a target with a key: files of its own, since the tests of other files share /tmp. */
function sshOptions(target: Target, key: Key): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'login-'));
  writeFileSync(join(scratch, 'key'), key.private, { mode: 0o600 });
  writeFileSync(join(scratch, 'known_hosts'), `${target.knownHosts}\n`);
  return ['-i', `${scratch}/key`, '-o', `UserKnownHostsFile=${scratch}/known_hosts`, '-o', 'ControlPath=none'];
}
