import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActionOptions, type ActionResult, runAction } from './action.ts';
import { repository } from './machine.ts';
import { ResultsService } from './results.ts';
import { Runner, type RunnerOptions, work } from './runner.ts';
import { generateKey, type Key, startAarch64Target, startSystemdTarget, type Target } from './target.ts';

/** The embedded fleet as a repository on a runner, and the targets of its two hosts. */
export class Fleet {
  readonly runner: Runner;
  readonly results: ResultsService;
  readonly deployKey: Key;
  /** Host `server`, x86_64 with systemd. */
  readonly server: Target;
  /** Host `router`, aarch64. */
  readonly router: Target;

  private constructor(runner: Runner, results: ResultsService, deployKey: Key, server: Target, router: Target) {
    this.runner = runner;
    this.results = results;
    this.deployKey = deployKey;
    this.server = server;
    this.router = router;
  }

  static async start(options: RunnerOptions = {}): Promise<Fleet> {
    const deployKey = await generateKey('deploy');
    const [runner, results, server, router] = await Promise.all([
      Runner.start(options),
      ResultsService.start(),
      startSystemdTarget({ name: 'server', deployKey }),
      startAarch64Target({ name: 'router', deployKey }),
    ]);
    const fleet = new Fleet(runner, results, deployKey, server, router);
    await fleet.#checkOut();
    return fleet;
  }

  async stop(): Promise<void> {
    await Promise.all([this.runner.stop(), this.results.stop(), this.server.stop(), this.router.stop()]);
  }

  get targets(): Target[] {
    return [this.server, this.router];
  }

  /** The step's `with` that gives access to both targets. */
  get access(): Record<string, string> {
    return {
      'deploy-key': this.deployKey.private,
      'known-hosts': this.targets.map(({ knownHosts }) => knownHosts).join('\n'),
      targets: `server: root@${this.server.address}\nrouter: root@${this.router.address}\n`,
    };
  }

  /** Runs the action as a step with access to both targets. The deploy key must not leak. */
  step(inputs: Record<string, string>, options: ActionOptions = {}): Promise<ActionResult> {
    const secrets = [this.deployKey.private, this.results.token];
    return runAction(this.runner, {
      results: this.results,
      secrets,
      ...options,
      inputs: { ...this.access, ...inputs },
    });
  }

  /** Changes a file of the fleet and commits it. */
  async change(file: string, change: (text: string) => string): Promise<void> {
    const path = this.runner.machine.path(join(work.workspace, file));
    const before = readFileSync(path, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`${file} did not change`);
    writeFileSync(path, after);
    await this.runner.commit();
  }

  /** Copies the fleet with the busyboxes of both systems, as examples/embedded/README.md describes. */
  async #checkOut(): Promise<void> {
    await this.runner.run(['cp', '-R', `${repository}/examples/embedded/.`, '.']);
    await this.runner.run(['chmod', '-R', 'u+w', '.']);
    await this.runner.run(['sh', './fetch-bootstrap.sh', 'nixpkgs/bootstrap']);
    await this.runner.run(['git', 'init', '-q', '-b', 'main']);
    await this.runner.commit();
  }
}
