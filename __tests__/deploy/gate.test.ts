import { describe, expect, test } from '@jest/globals';
import { explainRefusal, GateRefusal, gateRequest, plain, throughGate } from '../../src/deploy/gate.ts';
import { checkGates } from '../../src/deploy/order.ts';
import { CommandError } from '../../src/errors.ts';
import type { Target } from '../../src/plan/fleet.ts';

const target: Target = {
  address: '192.0.2.7',
  port: null,
  user: 'nix-ferry',
  privilegeEscalation: ['sudo', '-n'],
  sshOptions: [],
  sshOptionsFrom: 'targets',
  substituteOnDestination: false,
};
const order = { path: '/nix/store/x-manifest.json', hash: 'sha256:0', size: 7, signature: 'k:s', nar: 'TkFS' };

/** The values of a request, decoded. */
function values(input: string): Record<string, string> {
  const parts = input.split('@ ').slice(1);
  return Object.fromEntries(
    parts.map(part => {
      const [name = '', ...lines] = part.split('\n');
      const base64 = lines.filter(line => line !== '.').join('');
      return [name, Buffer.from(base64, 'base64').toString()];
    }),
  );
}

test('only the user nix-ferry has a gate', () => {
  expect([throughGate(target), throughGate({ user: 'root' })]).toEqual([true, false]);
});

describe('a request', () => {
  test('has identifiers in its command, and no escalation', () => {
    expect(gateRequest('probe', ['sudo', '-n'], order)).toEqual({ command: 'nix-ferry-gate 1 probe', input: '.\n' });
    expect(gateRequest('watch', ['a-1', '7'], order)).toEqual({
      command: 'nix-ferry-gate 1 watch a-1 7',
      input: '.\n',
    });
    expect(gateRequest('settle', [], order).command).toBe('nix-ferry-gate 1 settle');
  });

  test('leaves to the order what the order says', () => {
    const spec = [
      'mode=switch',
      'toplevel=/nix/store/y',
      'host=web',
      'committed=7',
      'allow-older=true',
      'secrets=true',
    ];
    const { command, input } = gateRequest(
      'run',
      ['a-1', ...spec, 'expect=x\n', 'health-limit=60', 'who=me "x"'],
      order,
    );
    expect(command).toBe('nix-ferry-gate 1 run a-1');
    expect(values(input)).toEqual({
      ...{ mode: 'switch', expect: 'x\n', 'health-limit': '60', who: 'me _x_' },
      ...{ 'order.path': order.path, 'order.hash': 'sha256:0', 'order.size': '7', 'order.signature': 'k:s' },
      'order.nar': 'NAR',
    });
  });

  test('has all checks in one value, whose digest the order has', () => {
    const { input } = gateRequest('run', ['a-1', 'health-1.command=test 1 = 1', 'check-1.command=a=b'], null);
    expect(values(input)).toEqual({
      checks: `health-1.command ${btoa('test 1 = 1')}\ncheck-1.command ${btoa('a=b')}\n`,
    });
  });

  test('has a reason as a value', () => {
    const { command, input } = gateRequest('reject', ['a-1', 'it is $(ill)'], order);
    expect([command, values(input)]).toEqual(['nix-ferry-gate 1 reject a-1', { reason: 'it is $(ill)' }]);
  });
});

test('text becomes text that a gate accepts', () => {
  expect(plain('acme/fleet run 7 by dependabot[bot]')).toBe('acme/fleet run 7 by dependabot[bot]');
  expect(plain('Zoë\n$(x)')).toBe('Zo___(x)');
  expect(plain('x'.repeat(1000))).toHaveLength(300);
});

describe('an error', () => {
  const failed = (code: number, stderr: string): CommandError =>
    new CommandError(['ssh'], { kind: 'exit', code }, stderr);
  const explained = (error: unknown, user = 'nix-ferry'): string =>
    (explainRefusal(error, { address: 'web', user }) as GateRefusal).message;

  test('of a gate is its reason', () => {
    const refusal = failed(77, 'a greeting\nnix-ferry-gate: this key may only describe\n');
    expect(explainRefusal(refusal, target)).toBeInstanceOf(GateRefusal);
    expect(explained(refusal)).toBe('The gate of web refused: this key may only describe.');
    expect(explained(refusal, 'root')).toContain('write `nix-ferry@web`');
  });

  test('of a machine without a gate says so', () => {
    expect(explained(failed(127, 'sh: 1: nix-ferry-gate: not found'))).toContain('web has no gate');
  });

  test('of anything else stays as it is', () => {
    for (const error of [
      failed(77, 'another program'),
      failed(255, 'Connection refused'),
      failed(1, 'x'),
      new Error('x'),
    ]) {
      expect(explainRefusal(error, target)).toBe(error);
    }
    const missing = failed(127, 'sh: x: not found');
    expect(explainRefusal(missing, { address: 'web', user: 'root' })).toBe(missing);
  });
});

test('a gate needs a signing key, unless its system is from an archive', () => {
  const check = (user: string, archive: string | null, signingKey: string | null) => (): void =>
    checkGates([{ host: 'web', target: { ...target, user }, archive }], { signingKey });
  expect(check('nix-ferry', null, null)).toThrow('The gate of web accepts only signed systems');
  for (const good of [check('nix-ferry', '/a', null), check('nix-ferry', null, 'k:x'), check('root', null, null)]) {
    expect(good).not.toThrow();
  }
});
