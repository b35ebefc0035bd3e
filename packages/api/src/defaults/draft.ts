// Defaulting writes into private objects: the readonly marks of API types are lifted here and nowhere else.

export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Draft<T[Key]> }
    : T;
