import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const read = (path: string): unknown => parse(readFileSync(join(root, path), 'utf8'));
const action = read('action.yml') as { inputs: Record<string, unknown> };

interface Step {
  uses?: string;
  with?: Record<string, string>;
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  concurrency: Record<string, unknown>;
  jobs: Record<string, { if?: string; environment?: string; permissions: Record<string, string>; steps: Step[] }>;
}

/** What a job may do besides reading the repository. */
const writes: Record<string, Record<string, string>> = {
  'pull-request preview': { 'pull-requests': 'write' },
  'drift compare': { issues: 'write' },
};

test.each(['deploy', 'pull-request', 'drift'])(
  'examples/workflows/%s.yml: inputs that exist, least permissions, pinned actions',
  name => {
    const { on, permissions, jobs } = read(`examples/workflows/${name}.yml`) as Workflow;
    expect(permissions).toEqual({});
    // It would give the code of a fork access to this repository's secrets.
    expect(Object.keys(on)).not.toContain('pull_request_target');
    for (const [id, job] of Object.entries(jobs)) {
      expect(job.permissions).toEqual({ contents: 'read', ...writes[`${name} ${id}`] });
      const ferry = job.steps.filter(({ uses }) => uses?.startsWith('OWNER/nix-ferry@'));
      expect(ferry).toHaveLength(1);
      for (const key of Object.keys(ferry[0]?.with ?? {})) expect(Object.keys(action.inputs)).toContain(key);
      const checkout = job.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
      expect(checkout?.uses).toMatch(/@[0-9a-f]{40}$/);
      const depth = name === 'pull-request' ? { 'fetch-depth': 2 } : {};
      expect(checkout?.with).toEqual({ 'persist-credentials': false, ...depth });
    }
  },
);

test('a deployment is never interrupted, and switches', () => {
  const { concurrency, jobs } = read('examples/workflows/deploy.yml') as Workflow;
  expect(concurrency).toEqual({ group: 'deploy', 'cancel-in-progress': false });
  expect(jobs.deploy?.steps.at(-1)?.with).toMatchObject({ mode: 'switch' });
});

test('a pull request changes nothing, and a job that runs for forks uses no secret', () => {
  const { jobs } = read('examples/workflows/pull-request.yml') as Workflow;
  expect(jobs.preview?.steps.at(-1)?.with).toMatchObject({ mode: 'preview' });
  expect(jobs.preview?.environment).not.toBe(
    (read('examples/workflows/deploy.yml') as Workflow).jobs.deploy?.environment,
  );
  expect(JSON.stringify(jobs.preview)).not.toContain('secrets.DEPLOY_KEY');
  expect(jobs.preview?.if).toContain('head.repo.full_name == github.repository');
  const fork = jobs['preview-fork'];
  expect(fork?.steps.at(-1)?.with).toEqual({ mode: 'preview', archive: 'none' });
  expect(fork?.environment).toBeUndefined();
  expect(JSON.stringify(fork)).not.toMatch(/secrets\.|github\.token/);
});

test('the comment for forks: one step with the token, no checkout, and only for runs that have none', () => {
  const { on, permissions, jobs } = read('examples/workflows/fork-comment.yml') as Workflow;
  const { name } = read('examples/workflows/pull-request.yml') as { name: string };
  expect(on).toEqual({ workflow_run: { workflows: [name], types: ['completed'] } });
  expect(permissions).toEqual({});
  expect(Object.keys(jobs)).toEqual(['comment']);
  expect(jobs.comment?.permissions).toEqual({ actions: 'read', 'pull-requests': 'write' });
  expect(jobs.comment?.if).toContain('head_repository.full_name != github.repository');
  expect(jobs.comment?.steps).toEqual([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
    { uses: 'OWNER/nix-ferry/comment@v0', with: { 'github-token': '${{ github.token }}' } },
  ]);
});
