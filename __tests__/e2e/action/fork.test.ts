import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/machine.ts';
import { ResultsService } from '../support/results.ts';
import { runAction } from '../support/action.ts';
import { Runner, work } from '../support/runner.ts';

// The pull request of a fork: no secret, no target that can be asked. One host changes, one is added, one is removed, and one
// is not touched.

let runner: Runner;
let results: ResultsService;
let base: string;
let head: string;

beforeAll(async () => {
  [runner, results] = await Promise.all([Runner.start({ nix: '2.34' }), ResultsService.start()]);
  await runner.run(['cp', '-R', `${repository}/examples/embedded/.`, '.']);
  await runner.run(['chmod', '-R', 'u+w', '.']);
  await runner.run(['sh', './fetch-bootstrap.sh', 'nixpkgs/bootstrap']);
  await runner.run(['git', 'init', '-q', '-b', 'main']);
  base = await commit({ server: 'modules = [ ./hosts/server.nix ];', idle: hostNamed('idle'), old: hostNamed('old') });
  head = await commit({
    server: 'modules = [ ./hosts/server.nix { environment.etc.issue.text = "Hello @octocat"; } ];',
    idle: hostNamed('idle'),
    added: hostNamed('added'),
  });
});
afterAll(async () => {
  await Promise.all([runner?.stop(), results?.stop()]);
});

function hostNamed(name: string): string {
  return `modules = [ ./hosts/server.nix { networking.hostName = nixpkgs.lib.mkForce "${name}"; } ];`;
}

/** Commits a fleet of these hosts. @returns the commit */
async function commit(hosts: Record<string, string>): Promise<string> {
  const listed = Object.entries(hosts).map(([name, body]) => `${name} = nixpkgs.lib.nixosSystem { ${body} };`);
  const flake = `{
  outputs = { self }: let nixpkgs = (import ./nixpkgs/flake.nix).outputs { self = nixpkgs; }; in {
    nixosConfigurations = { ${listed.join('\n')} };
  };
}`;
  writeFileSync(runner.machine.path(join(work.workspace, 'flake.nix')), flake);
  await runner.commit();
  return (await runner.run(['git', 'rev-parse', 'HEAD'])).stdout.trim();
}

const payload = () => ({ pull_request: { number: 12, head: { sha: head }, base: { sha: base } } });

test('every host is compared with the base', async () => {
  const inputs = { mode: 'preview', archive: 'none', targets: 'server: root@192.0.2.1' };
  const event = { name: 'pull_request', payload: payload() };
  const { main, summary, outputs } = await runAction(runner, { results, inputs, event });
  expect([main.code, main.log]).toEqual([0, expect.any(String)]);
  expect(summary).toContain('## Nix Ferry: 1 host would change, 1 unchanged, 1 new, 1 removed\n');
  expect(summary).toContain(`Compared with the base, ${base}, and not with what the targets run`);
  expect(summary).toMatch(/### server\n[\s\S]*\*\*\/etc\*\*: added <code>issue<\/code>/);
  expect(summary).toContain('**Unchanged**: idle\n');
  expect(summary).toContain('**New**: added\n');
  expect(summary).toContain('**Removed**: old\n');
  expect(outputs.changed).toBe('true');
  console.log(main.log.slice(-3000), summary);
});
