import { type FieldSet, isEmpty } from './field-set.ts';

/** Sets by their text: objects of one kind, made the same way, nearly always have the same few. */
const SETS_MAX = 2_000;
const sets = new Map<string, FieldSet>();

/**
 * A fieldsV1 in memory: its text, which is what is stored and sent, and on demand the set. Making the text once and
 * reading it as good as never is what keeps tracking cheap. In JSON it is the set.
 */
export class OwnedFields {
  /** JSON in upstream's order. Own and enumerable, so that equal objects have equal texts. */
  readonly text: string;
  #set: FieldSet | undefined;

  constructor(text: string, set?: FieldSet) {
    // Put together from hundreds of pieces, which are freed once it is read.
    text.charCodeAt(0);
    this.text = text;
    this.#set = set;
  }

  static of(set: FieldSet): OwnedFields {
    return new OwnedFields(textOfSet(set), set);
  }

  get set(): FieldSet {
    this.#set ??= parsed(this.text);
    return this.#set;
  }

  toJSON(): FieldSet {
    return this.set;
  }
}

function parsed(text: string): FieldSet {
  let set = sets.get(text);
  if (set === undefined) {
    set = JSON.parse(text) as FieldSet;
    if (sets.size >= SETS_MAX) sets.clear();
    sets.set(text, set);
  }
  return set;
}

/** Steps as they stand in the text, with the colon. */
const QUOTED_MAX = 20_000;
const quoted = new Map<string, string>();

export function quotedElement(element: string): string {
  let text = quoted.get(element);
  if (text === undefined) {
    text = `${JSON.stringify(element)}:`;
    if (quoted.size >= QUOTED_MAX) quoted.clear();
    quoted.set(element, text);
  }
  return text;
}

export function textOfSet(set: FieldSet): string {
  let text = '{';
  for (const element in set) {
    const child = set[element] as FieldSet;
    if (text.length > 1) text += ',';
    text += quotedElement(element);
    text += isEmpty(child) ? '{}' : textOfSet(child);
  }
  return `${text}}`;
}
