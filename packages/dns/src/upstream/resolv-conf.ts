/** The name servers a resolv.conf lists, in its order. */
export function parseResolvConf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/[#;].*/, '')
        .trim()
        .split(/\s+/),
    )
    .filter(([keyword, address]) => keyword === 'nameserver' && address !== undefined)
    .map(([, address = '']) => address);
}

/**
 * The servers to ask, without ourselves: a resolver that asks itself answers nothing and fills its queues.
 * @param own addresses we answer on
 */
export function usableServers(listed: readonly string[], own: readonly string[]): readonly string[] {
  return [...new Set(listed)].filter((address) => !own.includes(address));
}
