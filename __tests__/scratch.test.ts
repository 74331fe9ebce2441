import { expect, test } from '@jest/globals';
import { scratchParent } from '../src/scratch.ts';

test.each([
  [['/home/runner/work/_temp', '/var/tmp'], '/home/runner/work/_temp'],
  [[undefined, '/var/tmp'], '/var/tmp'],
  [['/home/ci/actions runner/_temp', '/var/tmp'], '/var/tmp'],
  [['/a:b', '/c?d', '/e%20f', 'relative'], '/tmp'],
])('of %j, %s', (parents, parent) => expect(scratchParent(...parents)).toBe(parent));
