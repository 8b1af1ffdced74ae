import { describe, expect, test } from 'vitest';
import { MAX_DOC, readMessage } from '../../../../src/engine/ingest/messages.ts';

const read = (text: string): unknown => readMessage(Buffer.from(text, 'utf8'));
const value = (v: string): string => `{"Value":{"name":"a","value":${v}}}`;
const counter = (v: string): string => value(`{"Counter":{"ts":1,"value":${v}}}`);
const gauge = (min: string, max: string, hits: string, total: string): string =>
  value(`{"Gauge":{"min":${min},"max":${max},"hits":${hits},"total":${total}}}`);
const desc = (ctype: string): string => `{"Desc":{"name":"a","doc":"d","ctype":${ctype}}}`;
const job = (fields: object): string =>
  JSON.stringify({
    JobDesc: {
      jobid: 'j',
      command: 'c',
      size: 1,
      nodelist: '',
      partition: '',
      cluster: '',
      run_dir: '/',
      start_time: 1,
      end_time: 0,
      ...fields,
    },
  });

describe('why a message is not taken', () => {
  test.each([
    ['', 'malformed_json'],
    ['hello', 'malformed_json'],
    [counter('1').slice(0, -1), 'malformed_json'],
    [counter('NaN'), 'malformed_json'],
    [counter('Infinity'), 'malformed_json'],
    [counter('01'), 'malformed_json'],
    ['GET / HTTP/1.1', 'malformed_json'],
    ['[]', 'wrong_type'],
    ['null', 'wrong_type'],
    ['1', 'wrong_type'],
    ['{}', 'unknown_kind'],
    ['{"Histogram":{}}', 'unknown_kind'],
    ['{"value":{}}', 'unknown_kind'],
    ['{"Value":{},"Desc":{}}', 'unknown_kind'],
    ['{"__proto__":{}}', 'unknown_kind'],
    ['{"Value":[]}', 'wrong_type'],
    ['{"Value":{"name":1,"value":{"Counter":{"value":1}}}}', 'wrong_type'],
    [value('{}'), 'unknown_kind'],
    [value('{"Summary":{}}'), 'unknown_kind'],
    [value('{"Counter":{"value":1},"Gauge":{}}'), 'unknown_kind'],
    [value('{"Counter":1}'), 'wrong_type'],
    [value('[]'), 'wrong_type'],
    [value('{"Counter":{"ts":1}}'), 'wrong_type'],
    [value('{"Counter":{"ts":"1","value":1}}'), 'wrong_type'],
    [counter('"1"'), 'wrong_type'],
    [counter('true'), 'wrong_type'],
    [counter('null'), 'not_finite'],
    [counter('1e400'), 'not_finite'],
    [counter('-1'), 'negative_increase'],
    [counter('-1e-300'), 'negative_increase'],
    [gauge('2', '1', '1', '1'), 'invalid_gauge'],
    [gauge('1', '2', '-1', '1'), 'invalid_gauge'],
    [gauge('null', '2', '1', '1'), 'not_finite'],
    [gauge('1', '2', '1', '1e999'), 'not_finite'],
    [gauge('1', '2', '1', '"1"'), 'wrong_type'],
    ['{"Desc":{"name":"a","ctype":{"Counter":{"value":0}}}}', 'wrong_type'],
    ['{"Desc":{"name":"a","doc":1,"ctype":{"Counter":{"value":0}}}}', 'wrong_type'],
    [desc('{"Other":{}}'), 'unknown_kind'],
    [desc('{"Counter":{"value":-1}}'), 'negative_increase'],
    [job({ jobid: 1 }), 'wrong_type'],
    [job({ size: -1 }), 'wrong_type'],
    [job({ size: null }), 'wrong_type'],
    [job({ start_time: -5 }), 'wrong_type'],
    [job({ start_time: 1e300 }), 'wrong_type'],
    [job({ command: 'x'.repeat(70_000) }), 'wrong_type'],
    [job({ run_dir: undefined }), 'wrong_type'],
  ])('%s: %s', (text, reason) => {
    expect(read(text)).toBe(reason);
  });

  test('bytes that are not UTF-8', () => {
    const bytes = Buffer.from(counter('1'));
    bytes[18] = 0xff;
    expect(readMessage(bytes)).toBe('invalid_utf8');
    expect(readMessage(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('invalid_utf8');
  });
});

describe('what is taken', () => {
  test.each([
    [counter('2.5'), { type: 'counter', name: 'a', increase: 2.5 }],
    [value('{"Counter":{"value":2}}'), { type: 'counter', name: 'a', increase: 2 }],
    [
      ' { "Value" : {"value":{"Counter":{"value":2,"ts":1}},"name":"\\u0061"}}\n',
      { type: 'counter', name: 'a', increase: 2 },
    ],
    [gauge('-1', '2', '3', '-4'), { type: 'gauge', name: 'a', min: -1, max: 2, hits: 3, total: -4 }],
    [gauge('9', '1', '0', '0'), { type: 'gauge', name: 'a', min: 9, max: 1, hits: 0, total: 0 }],
    [desc('{"Counter":{"ts":0,"value":0.0}}'), { type: 'desc', name: 'a', doc: 'd', kind: 'counter' }],
    [desc('{"Counter":{"value":null}}'), { type: 'desc', name: 'a', doc: 'd', kind: 'counter' }],
    [desc('{"Gauge":{"min":0,"max":0,"hits":0,"total":0}}'), { type: 'desc', name: 'a', doc: 'd', kind: 'gauge' }],
  ])('%s', (text, message) => {
    expect(read(text)).toEqual(message);
  });

  test('a job description, and no field that is not one of its own', () => {
    expect(read(job({ __proto__: 1, extra: 2 }))).toEqual({
      type: 'job',
      desc: {
        jobid: 'j',
        command: 'c',
        size: 1,
        nodelist: '',
        partition: '',
        cluster: '',
        run_dir: '/',
        start_time: 1,
        end_time: 0,
      },
    });
  });

  test('a description that is a document is cut, between characters', () => {
    const doc = `${'x'.repeat(MAX_DOC - 1)}\u{1f600} and so on`;
    const message = read(`{"Desc":{"name":"a","doc":${JSON.stringify(doc)},"ctype":{"Counter":{"value":0}}}}`);
    expect(message).toMatchObject({ type: 'desc', doc: `${'x'.repeat(MAX_DOC - 1)}\ufffd` });
  });
});
