import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { zipEntry } from '../../../src/report/zip-entry.ts';
import { zipOf } from '../../report/zips.ts';
import { type ActionResult, runAction } from '../support/action.ts';
import { repository } from '../support/machine.ts';
import { RestApi } from '../support/rest-api.ts';
import { ResultsService } from '../support/results.ts';
import { Runner, work } from '../support/runner.ts';

// The pull request of a fork: no secret, no target that can be asked. One host changes, one is added, one is removed, and one
// is not touched.

let runner: Runner;
let results: ResultsService;
let rest: RestApi;
let base: string;
let head: string;

beforeAll(async () => {
  [runner, results, rest] = await Promise.all([
    Runner.start({ nix: '2.34' }),
    ResultsService.start(),
    RestApi.start({ keepsComments: true }),
  ]);
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
  rest?.stop();
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
  return commitText(flake);
}

async function commitText(flake: string): Promise<string> {
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
  // The only thing that it writes: a run for a fork may comment on nothing.
  expect(rest.comments).toEqual([]);
  expect(results.artifacts.map(({ name }) => name)).toEqual(['nix-ferry-preview-deploy']);
});

describe('after the run, the step of a workflow for `workflow_run`', () => {
  const run = (more: object = {}) => ({
    ...{ id: 7, event: 'pull_request', html_url: 'https://github.com/octocat/fleet/actions/runs/7' },
    ...{ head_sha: head, head_branch: 'topic', head_repository: { full_name: 'someone/fleet' } },
    ...more,
  });
  const pull = (number: number, more: object = {}) => ({
    number,
    head: { sha: head, ref: 'topic', repo: { full_name: 'someone/fleet' }, ...more },
  });

  /** The comment's step. It has no checkout and no Nix. */
  function comment(workflow_run: unknown = run()): Promise<ActionResult> {
    return runAction(runner, {
      uses: 'comment',
      inputs: { 'github-token': 'ghs_testbed' },
      env: { GITHUB_API_URL: rest.url },
      event: { name: 'workflow_run', payload: { workflow_run } },
      secrets: ['ghs_testbed'],
    });
  }

  /** What the run has left, as a fork could change it. */
  function leave(change: (data: { [key: string]: unknown }) => unknown, name = 'preview.json'): void {
    const [artifact] = results.artifacts;
    if (artifact === undefined) throw new Error('no artifact');
    const data = JSON.parse(zipEntry(artifact.zip, 'preview.json', 1e8).toString());
    rest.artifacts = [{ ...artifact, zip: zipOf(name, Buffer.from(JSON.stringify(change(data)))) }];
  }

  beforeEach(() => {
    rest.comments.length = 0;
    rest.artifacts = results.artifacts;
    rest.pulls = [pull(12)];
  });

  test('comments with the same tables, updates its comment, and leaves the token nowhere', async () => {
    expect((await comment()).main.code).toBe(0);
    expect(rest.comments).toEqual([
      expect.stringMatching(/^<!-- nix-ferry fork -->\n## Nix Ferry: 1 host would change/),
    ]);
    const [text = ''] = rest.comments;
    expect(text).toContain(`For ${head}. [All details](https://github.com/octocat/fleet/actions/runs/7) [JSON](https:`);
    expect(text).toContain(`Compared with the base, ${base}, and not with what the targets run`);
    expect(text).toMatch(/### server\n[\s\S]*\+Hello @octocat\n```/);
    expect(text).not.toContain('nix-ferry-toplevels');
    leave(data => ({ ...data, previews: [] }));
    const again = await comment();
    expect([again.main.code, again.leaks]).toEqual([0, []]);
    expect(rest.comments).toEqual([expect.not.stringContaining('### server')]);
  });

  test.each<[string, () => void, string]>([
    [
      'another pull request',
      () => leave(data => ({ ...data, pull: 1 })),
      'for another pull request than those of its run: #12',
    ],
    ['another commit', () => leave(data => ({ ...data, commit: base })), 'describes another commit'],
    [
      'other data',
      () => leave(data => ({ ...data, previews: [{ host: 7 }] })),
      'preview.json of the artifact is no preview',
    ],
    [
      'another file',
      () => leave(data => data, '../preview.json'),
      'The ZIP cannot be read: it has no file preview.json',
    ],
    [
      'a bomb',
      () => leave(data => ({ ...data, padding: ' '.repeat(80_000_000) })),
      'The ZIP cannot be read: preview.json is larger than 67108864 bytes',
    ],
    [
      'a large artifact',
      () => {
        rest.artifacts = results.artifacts.map(each => ({ ...each, zip: Buffer.alloc(11_000_000) }));
      },
      'has more than 10485760 bytes',
    ],
  ])('refuses %s', async (_, prepare, why) => {
    prepare();
    const { main } = await comment();
    expect([main.code, main.annotations]).toEqual([
      1,
      [expect.objectContaining({ level: 'error', message: expect.stringContaining(why) })],
    ]);
    expect(rest.comments).toEqual([]);
  });

  test.each<[string, { pulls?: object[]; artifacts?: []; run?: object }, string]>([
    ['a newer commit', { pulls: [{ sha: 'f'.repeat(40) }] }, 'No open pull request has'],
    ['a branch of that name in another fork', { pulls: [{ repo: { full_name: 'x/y' } }] }, 'No open pull request has'],
    ['no preview', { artifacts: [] }, 'saved no preview'],
    ['a push', { run: { event: 'push' } }, 'not for a pull request'],
  ])('writes nothing for %s', async (_, { pulls, artifacts, run: more }, why) => {
    if (pulls !== undefined) rest.pulls = pulls.map(each => pull(12, each));
    if (artifacts !== undefined) rest.artifacts = artifacts;
    const { main } = await comment(run(more));
    expect([main.code, main.log]).toEqual([0, expect.stringContaining(why)]);
    expect(rest.comments).toEqual([]);
  });

  test('is refused for another event', async () => {
    const { main } = await comment(null);
    expect([main.code, main.log]).toEqual([1, expect.stringContaining('this step is for the event `workflow_run`')]);
  });
});

test('without its base, a clone without history gets it from its origin, or says in one sentence what to write', async () => {
  await runner.run(['sh', '-c', 'git init -q --bare ../origin && git push -q ../origin main']);
  await runner.run([
    'sh',
    '-c',
    'rm -rf .git && git init -q && git fetch -q --depth=1 ../origin main && git reset -q FETCH_HEAD',
  ]);
  const inputs = { mode: 'preview', archive: 'none', hosts: 'server' };
  const event = { name: 'pull_request', payload: payload() };
  const without = await runAction(runner, { inputs, event });
  expect([without.main.code, without.main.annotations.map(({ message }) => message)]).toEqual([
    0,
    [expect.stringMatching(/^The base cannot be compared: This clone does not have the base .*Set `fetch-depth: 2`/)],
  ]);
  expect(without.summary).toContain('**Not compared**: server: It has no target. The base cannot be compared');
  await runner.run(['git', 'remote', 'add', 'origin', join(work.workspace, '../origin')]);
  const { summary } = await runAction(runner, { inputs, event });
  expect(summary).toContain('## Nix Ferry: 1 host would change\n');
});

test('on the command line: `--base`', async () => {
  const ferry = (...args: string[]) =>
    runner.run(
      [work.node20, `${repository}/dist/cli.js`, 'preview', '--compare', 'base', '--hosts', 'server', ...args],
      {
        allow: [0, 2],
        env: { HOME: '/home/runner', PATH: runner.path },
      },
    );
  const { code, stdout } = await ferry('--base', base);
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining(`would change: 0 packages, 0 units, compared with the base`),
  ]);
  const wrong = await ferry('--base', 'nothing');
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining("This clone does not have 'nothing' and Git cannot"),
  ]);
  const none = await ferry();
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('`compare: base` needs a base')]);
  // A base that is broken does not fail the change that repairs it.
  const broken = await commitText('{ outputs = { self }: throw "not yet"; }');
  await commit({ server: 'modules = [ ./hosts/server.nix ];' });
  const repaired = await ferry('--base', broken);
  expect([repaired.code, repaired.stdout]).toEqual([
    0,
    expect.stringMatching(/^server .*unknown: The base cannot be compared: .*Not yet/),
  ]);
});
