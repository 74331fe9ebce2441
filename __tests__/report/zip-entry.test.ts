import { expect, test } from '@jest/globals';
import { zipEntry } from '../../src/report/zip-entry.ts';
import { zipOf } from './zips.ts';

const content = Buffer.from('{"a":1}'.repeat(100));

test.each([0, 8] as const)('compression %i', method => {
  expect(zipEntry(zipOf('a.json', content, method), 'a.json', 1000)).toEqual(content);
  // A comment at the end.
  const zip = zipOf('a.json', content, method);
  zip.writeUInt16LE(5, zip.length - 2);
  expect(zipEntry(Buffer.concat([zip, Buffer.from('hello')]), 'a.json', 1000)).toEqual(content);
});

test.each([0, 8] as const)('a file that is larger than allowed, compression %i', method => {
  const zip = zipOf('a.json', Buffer.alloc(20_000_000), method);
  expect(() => zipEntry(zip, 'a.json', 1000)).toThrow('The ZIP cannot be read: a.json is larger than 1000 bytes.');
});

test.each([
  ['no ZIP', Buffer.from('PK'), 'it is no ZIP'],
  ['another file', zipOf('../a.json', content), 'it has no file a.json'],
  ['nothing', Buffer.alloc(0), 'it is no ZIP'],
])('%s', (_, zip, why) => {
  expect(() => zipEntry(zip, 'a.json', 1000)).toThrow(`The ZIP cannot be read: ${why}.`);
});

test('any byte that is wrong gives an error of ours, or the content', () => {
  const zip = zipOf('a.json', content);
  for (let at = 0; at < zip.length; at++) {
    const wrong = Buffer.from(zip);
    wrong[at] = (wrong[at] ?? 0) ^ 0xff;
    try {
      expect(zipEntry(wrong, 'a.json', 1000).length).toBeLessThanOrEqual(1000);
    } catch (error) {
      expect((error as Error).message).toMatch(/^The ZIP cannot be read: /);
    }
    expect(() => zipEntry(zip.subarray(0, at), 'a.json', 1000)).toThrow('The ZIP cannot be read');
  }
});
