import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ActionOptions, type ActionResult, runAction } from '../support/action.ts';
import { signingKey } from '../support/keys.ts';
import { repository } from '../support/machine.ts';
import { ResultsService } from '../support/results.ts';
import { Runner } from '../support/runner.ts';

const key = signingKey('fleet-1').secret;
let results: ResultsService;
beforeAll(async () => {
  results = await ResultsService.start();
});
afterAll(() => results.stop());

/** A job of the embedded fleet on its own machine, as on GitHub. */
async function job(inputs: Record<string, string>, options: ActionOptions = {}): Promise<ActionResult> {
  const runner = await Runner.start({ nix: '2.26' });
  try {
    await runner.run(['cp', '-R', `${join(repository, 'examples/embedded')}/.`, '.']);
    await runner.run(['chmod', '-R', 'u+w', '.']);
    await runner.run(['sh', './fetch-bootstrap.sh', 'nixpkgs/bootstrap']);
    await runner.run(['git', 'init', '-q', '-b', 'main']);
    await runner.commit();
    // Each job is a separate run.
    results.artifacts.length = 0;
    const given = { 'nix-conf': 'substituters =', 'signing-key': key, ...inputs };
    const result = await runAction(runner, { results, secrets: [key], ...options, inputs: given });
    expect([result.main.code, result.leaks]).toEqual([0, []]);
    return result;
  } finally {
    await runner.stop();
  }
}

const kept = (): string[] => results.caches.map(({ key }) => key).filter(key => key.startsWith('nix-ferry-plan-'));
const warnings = ({ main }: ActionResult) => main.annotations.filter(({ level }) => level === 'warning');

let first: ActionResult;
test('a pull request evaluates and caches nothing; neither does a run without a key', async () => {
  const event = { name: 'pull_request' };
  expect((await job({}, { uses: 'plan', event })).main.log).toMatch(/router.*evaluating/);
  expect((await job({ 'signing-key': '' }, { uses: 'plan' })).main.log).toMatch(/router.*evaluating/);
  expect(kept()).toEqual([]);
});

test('a push evaluates and caches its plan', async () => {
  first = await job({});
  expect(first.main.log).toMatch(/router.*evaluating/);
  expect([kept(), warnings(first)]).toEqual([[expect.any(String)], []]);
});

test('the next run, on another machine, evaluates and builds nothing, and makes the same archives', async () => {
  const second = await job({});
  expect(second.main.log).toContain('Restored the plan of 2 hosts from the cache');
  expect(second.main.log).not.toContain('evaluating');
  for (const host of ['router', 'server']) expect(second.main.log).toContain(`${host}: build: fetched`);
  expect(warnings(second)).toEqual([]);
  const toplevels = ({ outputs }: ActionResult) =>
    (JSON.parse(outputs.archives ?? '') as { host: string; toplevel: string }[]).map(({ host, toplevel }) => [
      host,
      toplevel,
    ]);
  expect(toplevels(second)).toEqual(toplevels(first));
  expect(kept()).toHaveLength(1);
});

test('so does a pull request without changes to the source, as the step `plan`', async () => {
  const { main, outputs } = await job({}, { uses: 'plan', event: { name: 'pull_request' } });
  expect(main.log).toContain('Restored the plan of 2 hosts from the cache');
  expect(main.log).not.toContain('evaluating');
  expect(JSON.parse(outputs.hosts ?? '')).toEqual(['router', 'server']);
});

test('an entry that someone else put under the name of the plan is not used', async () => {
  const other = signingKey('fleet-1').secret;
  const [entry] = results.caches.filter(({ key }) => key === kept()[0]);
  await job({ 'signing-key': other }, { uses: 'plan' });
  const [foreign] = results.caches.filter(({ key }) => key === kept().at(-1));
  if (entry === undefined || foreign === undefined || entry === foreign) throw new Error('two keys, two entries');
  entry.content = foreign.content;
  const { main } = await job({}, { uses: 'plan' });
  expect(main.annotations).toContainEqual(
    expect.objectContaining({ level: 'warning', message: expect.stringMatching(/^The cached plan is not used: /) }),
  );
  expect(main.log).toMatch(/router.*evaluating/);
});
