import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { addConfiguration } from '../../src/archive/source.ts';
import type { Context } from '../../src/context.ts';
import { exec } from '../../src/exec.ts';
import { Nix } from '../../src/nix/index.ts';
import { repositoryOf } from '../../src/plan/repository.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'repository-'));
});

const context = (environment: Context['environment']) => {
  const query: Context['query'] = (command, args, options) => exec(command, args, { env: environment, ...options });
  return { query, environment, exec, scratch: folder } as unknown as Context;
};
const trusted = context(process.env);
/** Git behaves as if another user owned every repository (setup.c), and no configuration of this machine allows that. */
const foreign = context({
  ...process.env,
  GIT_TEST_ASSUME_DIFFERENT_OWNER: '1',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
});
const git = (...args: string[]) => exec('git', ['-C', folder, ...args]);

test('a folder without Git has no repository', async () => {
  expect(await repositoryOf(folder, trusted)).toBeNull();
  expect(await repositoryOf(folder, foreign)).toBeNull();
});

test('a folder inside a work tree has the repository around it', async () => {
  await git('init', '-q');
  await mkdir(join(folder, 'hosts'));
  expect(await repositoryOf(join(folder, 'hosts'), trusted)).toMatchObject({ root: folder, commit: null });
});

describe('a repository that Git does not read', () => {
  beforeEach(async () => {
    await git('init', '-q');
    await writeFile(join(folder, 'flake.nix'), '{ }');
    await git('add', 'flake.nix');
    await writeFile(join(folder, '.env'), 'DATABASE_PASSWORD=hunter2hunter2');
  });

  test('because another user owns it is an error with the cure, not a folder without Git', async () => {
    await expect(repositoryOf(folder, foreign)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('dubious ownership'),
      cure: expect.stringContaining(`safe.directory ${folder}`),
    });
  });

  test('because it is damaged is an error', async () => {
    await writeFile(join(folder, '.git/config'), '[core\n');
    await expect(repositoryOf(folder, trusted)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('bad config line'),
    });
  });

  test('without the program Git is an error', async () => {
    const without = context({ ...process.env, PATH: '/nonexistent' });
    await expect(repositoryOf(folder, without)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('Git is not installed'),
    });
  });

  test('adds neither .git nor untracked files to an archive', async () => {
    const store = join(folder, 'store');
    await mkdir(store);
    // Copies what would be added to the store; the real store is tested in e2e/archive.
    const nix = new Nix(
      {
        exec: async (_, args) => exec('sh', ['-c', 'cp -R "$0" "$1"; echo added', args[1] ?? '', store]),
        environment: {},
      },
      { bin: null, version: '2.26.3', env: {} },
    );
    const scratch = await mkdtemp(join(tmpdir(), 'scratch-'));
    await expect(addConfiguration(folder, nix, { ...foreign, scratch })).rejects.toThrow('dubious ownership');
    await addConfiguration(folder, nix, { ...trusted, scratch });
    expect(await readFile(join(store, 'configuration/flake.nix'), 'utf8')).toBe('{ }');
    await expect(readFile(join(store, 'configuration/.env'))).rejects.toThrow('ENOENT');
  });
});
