/** Go's yaml sorts keys by their letters, and digits in them by their number: `a2` before `a10`. */
export function byYamlOrder(left: string, right: string): number {
  const [a, b] = [[...left], [...right]];
  let isInDigits = false;
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [one = '', other = ''] = [a[at], b[at]];
    if (one === other) {
      isInDigits = isDigit(one);
      continue;
    }
    if (isLetter(one) && isLetter(other)) return one < other ? -1 : 1;
    if (isLetter(one) || isLetter(other)) {
      const letterFirst = isInDigits ? isLetter(one) : isLetter(other);
      return letterFirst ? -1 : 1;
    }
    const numbers = compareNumbers(a, b, at);
    return numbers !== 0 ? numbers : one < other ? -1 : 1;
  }
  return a.length - b.length;
}

/** Two texts that differ from `at` on, where neither has a letter. */
function compareNumbers(a: readonly string[], b: readonly string[], at: number): number {
  let [one, other] = [a[at] ?? '', b[at] ?? ''];
  // Leading zeros: the digits before count when there are any other than zero.
  if (one === '0' || other === '0') {
    let hasDigits = false;
    for (let back = at - 1; back >= 0 && isDigit(a[back]); back--) if (a[back] !== '0') hasDigits = true;
    if (hasDigits && !isDigit(one)) one = '';
    if (hasDigits && !isDigit(other)) other = '';
  }
  const [left, right] = [digitsFrom(a, at), digitsFrom(b, at)];
  const [leftNumber, rightNumber] = [Number(left || '0'), Number(right || '0')];
  if (leftNumber !== rightNumber) return leftNumber - rightNumber;
  return left.length - right.length;
}

function digitsFrom(text: readonly string[], at: number): string {
  let end = at;
  while (isDigit(text[end])) end++;
  return text.slice(at, end).join('');
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character);
}
