import { VerbError } from './verb-error.ts';

/** `a=b` words as an object. @throws VerbError for a word without `=` */
export function parseLabelPairs(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words
      .filter((word) => word !== '')
      .map((word) => {
        const equals = word.indexOf('=');
        if (equals < 1) throw new VerbError(`unexpected pair format: ${word}, expected key=value`);
        return [word.slice(0, equals), word.slice(equals + 1)] as const;
      }),
  );
}
