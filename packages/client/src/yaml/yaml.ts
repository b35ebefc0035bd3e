import {
  boolYaml11Tag,
  CORE_SCHEMA,
  intCoreTag,
  intYaml11Tag,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  YAMLException,
} from 'js-yaml';

/**
 * YAML is read as kubectl and upstream's API server read it, by YAML 1.1: `yes` and `on` are booleans, and `defaultMode: 0644` is octal.
 * Of 1.1 it leaves out what nobody means: times and numbers to the base of 60.
 */
const schema = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag, {
  ...intYaml11Tag,
  resolve: (source, isExplicit, tagName) => {
    if (source.includes(':')) return NOT_RESOLVED;
    const value = intYaml11Tag.resolve(source, isExplicit, tagName);
    return value === NOT_RESOLVED && !/^[-+]?0\d/.test(source)
      ? intCoreTag.resolve(source, isExplicit, tagName)
      : value;
  },
});

/**
 * All documents of a text.
 * @param repeatedKeys whether a key that stands twice in a mapping is refused, or the last one counts
 * @throws an Error with the place of what cannot be read
 */
export function loadYamlDocuments(text: string, repeatedKeys: 'refused' | 'last' = 'refused'): readonly unknown[] {
  return loadAll(text, { schema, json: repeatedKeys === 'last' }) as unknown[];
}

/** What is wrong with a text, and in which line. */
export function yamlProblem(error: unknown): string {
  if (!(error instanceof YAMLException)) return error instanceof Error ? error.message : String(error);
  const line = error.mark === undefined || error.mark === null ? '' : `line ${error.mark.line + 1}: `;
  return `yaml: ${line}${error.reason}`;
}
