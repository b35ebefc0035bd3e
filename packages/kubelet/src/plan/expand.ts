// `$(VAR)` in commands, arguments and values: `$$` is a literal `$`, an unknown name stays as it was written.

export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  let result = '';
  let index = 0;
  while (index < text.length) {
    const char = text.charAt(index);
    const next = text.charAt(index + 1);
    if (char === '$' && next === '$') {
      result += '$';
      index += 2;
      continue;
    }
    const end = char === '$' && next === '(' ? text.indexOf(')', index + 2) : -1;
    if (end === -1) {
      result += char;
      index++;
      continue;
    }
    const name = text.slice(index + 2, end);
    result += lookUp(name) ?? text.slice(index, end + 1);
    index = end + 1;
  }
  return result;
}
