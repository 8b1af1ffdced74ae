/** The message of the test button: an alarm that nobody can take for a real one. */

import { randomBytes } from 'node:crypto';
import type { Message } from './channel.ts';

export function testMessage(engine: string, now: number): Message {
  const id = randomBytes(12).toString('hex');
  return {
    ...{ id, kind: 'test', time: now, engine, thread: `test-${id}`, title: `Test message of Vigie on ${engine}` },
    group: {},
    ...{ firing: 0, resolved: 1 },
    alarms: [
      {
        ...{ id: 'test', rule: 'test', name: 'Test message', severity: 'info', scope: `node/${engine}`, place: engine },
        ...{
          metric: '',
          value: null,
          threshold: 0,
          fired: now,
          description: '',
          link: '',
          status: 'resolved',
          ended: now,
        },
        labels: { alarmname: 'Test message', severity: 'info', engine },
      },
    ],
  };
}
