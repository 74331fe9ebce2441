import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fleet } from '../support/fleet.ts';
import { watchProcesses } from '../support/planted.ts';

// Searches for each secret of a run wherever it could be left; the same searches find a planted one.

const signingKey = `fleet-1:${'c2VjcmV0LXNpZ25pbmcta2V5LWZvci10ZXN0cy1vbmx5'.padEnd(86, 'A')}==`;
const githubToken = 'ghs_a-token-that-is-searched-for';
const jobToken = 'ghs_the-token-of-the-job-in-an-env';
const oidcToken = 'oidc-request-token-of-the-job';
const inJob = { GITHUB_TOKEN: jobToken, ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidcToken };

let fleet: Fleet;
let secrets: string[];
beforeAll(async () => {
  fleet = await Fleet.start();
  secrets = [fleet.deployKey.private, signingKey, githubToken, jobToken, oidcToken, fleet.results.token];
});
afterAll(() => fleet.stop());

describe('processes', () => {
  test('no process has a secret in its environment or its arguments once the inputs are read', async () => {
    const { result, leaks } = await watchProcesses(fleet.runner, secrets, () =>
      fleet.step(
        { mode: 'switch', archive: 'full', 'github-token': githubToken, 'signing-key': signingKey },
        { env: inJob, secrets },
      ),
    );
    expect(result.main.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect([result.main.code, result.leaks]).toEqual([0, []]);
    expect(leaks).toEqual([]);
  });

  test('the search finds one that is planted in an environment and one in an argument', async () => {
    const { leaks } = await watchProcesses(fleet.runner, secrets, () =>
      fleet.runner.run(['sh', '-c', 'sleep 3; :', jobToken], { env: { PLANTED: githubToken } }),
    );
    expect(leaks).toContainEqual({ place: 'environ', process: 'sleep' });
    expect(leaks).toContainEqual({ place: 'cmdline', process: 'sh' });
  });
});
