import { expect, test } from '@jest/globals';
import type { Context, HostEvent, StageEvent } from '../src/context.ts';
import { Timeline } from '../src/timeline.ts';

test('when each stage ran, and when it worked on each host, without what the host waited', () => {
  let now = 0;
  const timeline = new Timeline(() => now);
  const passed: (HostEvent | StageEvent)[] = [];
  const { progress } = timeline.watch({ progress: event => void passed.push(event) } as Context);
  const at = (time: number, event: HostEvent | StageEvent): void => {
    now = time;
    progress(event);
  };
  const web = { host: 'web', stage: 'deploy', text: '' } as const;
  at(0, { stage: 'deploy', state: 'running' });
  at(1, { ...web, state: 'waiting' });
  at(2, { ...web, state: 'running' });
  at(3, { ...web, state: 'running', text: 'copying' });
  at(4, { ...web, state: 'waiting', text: 'ready' });
  at(6, { ...web, state: 'running' });
  at(7, { ...web, state: 'failed' });
  // One that was never started.
  at(7, { ...web, host: 'db', state: 'done' });
  at(8, { stage: 'deploy', state: 'done' });
  expect(timeline.spans()).toEqual([
    { stage: 'deploy', host: 'web', from: 2, to: 4, failed: false },
    { stage: 'deploy', host: 'web', from: 6, to: 7, failed: true },
    { stage: 'deploy', host: null, from: 0, to: 8, failed: false },
  ]);
  expect(passed).toHaveLength(9);
});
