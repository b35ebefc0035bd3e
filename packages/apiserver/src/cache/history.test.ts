import { describe, expect, it } from 'vitest';
import { encodingOf } from './encoding.ts';
import { Entry } from './entry.ts';
import { ChangeEvent } from './event.ts';
import { HISTORY_EVENTS_MAX, History } from './history.ts';

const encoding = encodingOf('ConfigMap', 'v1');

function change(revision: number): ChangeEvent {
  const bytes = Buffer.from(
    `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"${revision}","name":"a"}}`,
  );
  const entry = new Entry({ key: 'k', namespace: '', name: 'a' }, revision, bytes, {}, { labels: {}, fields: {} });
  return new ChangeEvent(revision, entry, undefined, encoding);
}

describe('History', () => {
  it('finds the first event after a revision, whether that revision is among its own or not', () => {
    const history = new History(10);
    for (const revision of [12, 15, 20]) {
      history.append(change(revision));
    }
    const revisionAfter = (revision: number) => history.at(history.positionAfter(revision) ?? -1)?.revision;
    expect([10, 11, 12, 14, 15, 19].map(revisionAfter)).toEqual([12, 12, 15, 15, 20, 20]);
    expect(history.positionAfter(20)).toBe(history.end);
    expect(history.positionAfter(999)).toBe(history.end);
  });

  it('knows nothing before its start', () => {
    expect(new History(10).positionAfter(9)).toBeUndefined();
  });

  it('forgets the oldest events beyond its limit and keeps the positions of the others', () => {
    const history = new History(0);
    for (let revision = 1; revision <= HISTORY_EVENTS_MAX * 2; revision += 1) {
      history.append(change(revision));
    }
    expect(history.end).toBe(HISTORY_EVENTS_MAX * 2);
    expect(history.at(history.end - 1)?.revision).toBe(HISTORY_EVENTS_MAX * 2);
    expect(history.at(0)).toBeUndefined();
    expect(history.positionAfter(1)).toBeUndefined();
    const oldest = history.oldestRevision;
    expect(history.at(history.positionAfter(oldest) ?? -1)?.revision).toBe(oldest + 1);
  });
});
