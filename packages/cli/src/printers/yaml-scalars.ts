/** Words that YAML 1.1 readers take for something else than text. */
const words = new Set(
  ['', '~', 'null', 'true', 'false', 'y', 'n', 'yes', 'no', 'on', 'off', '.nan', '.inf', '+.inf', '-.inf'].flatMap(
    (word) => [
      word,
      word.toUpperCase(),
      word.charAt(0).toUpperCase() + word.slice(1),
      word.replace('nan', 'NaN').replace('inf', 'Inf'),
    ],
  ),
);
const integer = /^[-+]?(0b[01_]+|0o?[0-7_]+|[0-9][0-9_]*|0x[0-9a-fA-F_]+)$/;
const float = /^[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$/;
const base60 = /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/;
const date = /^\d{4}-\d{1,2}-\d{1,2}$/;
const time = /^\d{4}-\d{1,2}-\d{1,2}([Tt]|[ \t]+)\d{1,2}:\d{1,2}:\d{1,2}(\.\d*)?([ \t]*(Z|[-+]\d{1,2}(:?\d{2})?))?$/;

/** Whether a reader that sees this unquoted takes it for text. */
export function isCore(text: string): boolean {
  return !words.has(text) && ![integer, float, base60, date, time].some((pattern) => pattern.test(text));
}
