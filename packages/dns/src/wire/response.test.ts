import { type Answer, decode, encode } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { opt, question } from '../testing/ask.ts';
import { parseQuery, type Query } from './query.ts';
import { finish, relayed } from './response.ts';

function queryOf(bytes: Buffer): Query {
  const parsed = parseQuery(bytes);
  if (parsed.kind !== 'query') throw new Error(`not a query: ${parsed.kind}`);
  return parsed.query;
}

const record = (ttl: number): Answer => ({ type: 'A', name: 'example.com', ttl, data: '192.0.2.1' });

describe('relayed', () => {
  it('takes the age off each TTL, under the question as this client wrote it', () => {
    const stored = encode({
      type: 'response',
      questions: [{ type: 'A', name: 'example.com' }],
      answers: [record(20), record(3)],
    });
    const { questions, answers } = decode(relayed(stored, queryOf(question('A', 'eXample.COM')), 5));
    expect(questions?.[0]?.name).toBe('eXample.COM');
    expect(answers).toMatchObject([{ ttl: 15 }, { ttl: 0 }]);
  });
});

describe('finish', () => {
  const bulk = encode({
    type: 'response',
    questions: [{ type: 'A', name: 'example.com' }],
    answers: [record(20)],
    additionals: Array.from({ length: 40 }, () => record(20)),
  });

  it('drops additional records without saying so', () => {
    const query = queryOf(question('A', 'example.com'));
    const response = decode(finish(bulk, query, query, 'udp'));
    expect([response.flag_tc, response.answers?.length]).toEqual([false, 1]);
    expect(response.additionals?.length).toBeLessThan(40);
  });

  it('leaves room for the EDNS0 record', () => {
    const query = queryOf(question('A', 'example.com', { additionals: [opt(512)] }));
    const bytes = finish(bulk, query, query, 'udp');
    expect(bytes.length).toBeLessThanOrEqual(512);
    expect(decode(bytes).additionals?.at(-1)?.type).toBe('OPT');
  });
});
