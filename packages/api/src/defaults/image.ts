// How an image reference decides the pull policy.

/** `Always` for the tag `latest`, stated or implied by a reference with neither tag nor digest. */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || image === '' || image !== image.trim()) return 'IfNotPresent';
  const [name = '', digest] = image.split('@', 2);
  const tag = /:([^/:]*)$/.exec(name)?.[1];
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
