import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { committed, GateFixture } from '../support/gate-fixture.ts';

let gate: GateFixture;

beforeAll(async () => {
  gate = await GateFixture.start();
}, 240_000);
afterAll(() => gate?.stop());

describe('with the deploy key', () => {
  test('a signed system is deployed', async () => {
    const origin = { commit: 'b'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: committed.newer };
    expect(await gate.deploy('two', { origin })).toMatchObject({
      outcome: 'deployed',
      message: 'Runs and boots the new system.',
    });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 120_000);
});
