import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ActionResult, runAction } from '../support/action.ts';
import { repository } from '../support/machine.ts';
import { RestApi } from '../support/rest-api.ts';
import { Runner, work } from '../support/runner.ts';

// A pull request of a fleet of sixty hosts, fifty of which change in the same way, compared with its base: the action evaluates
// and builds both with the miniature. How long it takes is measured by bench/preview.

let runner: Runner;
let rest: RestApi;
let result: ActionResult;

beforeAll(async () => {
  [runner, rest] = await Promise.all([Runner.start({ nix: '2.26' }), RestApi.start()]);
  await runner.checkout(join(repository, 'examples/embedded'));
  await runner.run(['sh', './fetch-bootstrap.sh', 'nixpkgs/bootstrap']);
  await runner.run(['cp', join(repository, '__tests__/e2e/support/fixtures/sixty-hosts.nix'), 'hosts.nix']);
  const write = (release: number): void =>
    writeFileSync(
      runner.machine.path(join(work.workspace, 'flake.nix')),
      `{
        outputs = { self }:
          let nixpkgs = (import ./nixpkgs/flake.nix).outputs { self = nixpkgs; };
          in { nixosConfigurations = import ./hosts.nix nixpkgs.lib.nixosSystem ${release}; };
      }`,
    );
  write(1);
  await runner.commit();
  const head = async (): Promise<string> => (await runner.run(['git', 'rev-parse', 'HEAD'])).stdout.trim();
  const base = await head();
  write(2);
  await runner.commit();
  const pull_request = { number: 12, head: { sha: await head() }, base: { sha: base } };
  result = await runAction(runner, {
    inputs: { mode: 'preview', compare: 'base', archive: 'none', comment: 'true', 'github-token': 'ghs_testbed' },
    event: { name: 'pull_request', payload: { pull_request } },
    env: { GITHUB_API_URL: rest.url },
  });
});
afterAll(async () => {
  rest.stop();
  await runner.stop();
});

/** What a reader sees before anything is unfolded. */
function open(markdown: string): string {
  return markdown.replace(/<details><summary>(.*?)<\/summary>[\s\S]*?<\/details>/g, '$1').replace(/<!--.*?-->/g, '');
}

test('the fifty are one block, the five have a block each, and the others a line', () => {
  expect(result.main.code).toBe(0);
  const [comment = ''] = rest.comments;
  for (const text of [open(comment), open(result.summary)]) {
    expect(text).toContain('## Nix Ferry: 55 hosts would change, 5 unchanged');
    expect(text.match(/^### .*$/gm)?.map(line => line.replaceAll(/&#45;/g, '-'))).toEqual([
      '### 50 hosts with the same change',
      ...['00', '01', '02', '03', '04'].map(n => `### own-${n}`),
    ]);
    expect(text.match(/nginx \| 1\.26\.3 \| 1\.28\.0/g)).toHaveLength(1);
    expect(text).toMatch(/\*\*Unchanged\*\*: 5 hosts \(still-00, /);
  }
});

test('comment and summary are far inside the limits, and short enough to be read', () => {
  const [comment = ''] = rest.comments;
  expect(comment.length).toBeLessThan(30_000);
  expect(Buffer.byteLength(result.summary)).toBeLessThan(64 * 1024);
  const lines = open(comment)
    .split('\n')
    .filter(line => line.trim() !== '');
  expect(lines.length).toBeLessThan(70);
});

test('the diagram has at most thirty bars of builds and hosts', () => {
  const [, diagram = ''] = /```mermaid\n([\s\S]*?)\n```/.exec(result.summary) ?? [];
  const bars = diagram.split('\n').filter(line => / :(crit, )?\d+, \d+$/.test(line));
  expect(bars.length).toBeGreaterThanOrEqual(4);
  expect(bars.length).toBeLessThanOrEqual(36);
});

test('the preview of each host is in the output', () => {
  const changes = JSON.parse(result.outputs.changes ?? '{}') as Record<string, { changed: boolean }>;
  expect(Object.keys(changes)).toHaveLength(60);
  expect(Object.values(changes).filter(({ changed }) => changed)).toHaveLength(55);
});
