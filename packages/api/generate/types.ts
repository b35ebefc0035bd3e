// Prints one TypeScript file of interfaces per API package, and one file of flat names.
import { type ApiPackage, type Definition, type Definitions, refName, type SchemaDocument } from './document.ts';
import { inlined } from './names.ts';

export const header = '// Generated from the official OpenAPI document by `npm run generate`. Do not edit.\n';

/** File path below `src/generated/` → text. */
export function typeFiles(definitions: Definitions, flat: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const names = [header];
  for (const apiPackage of definitions.packages.values()) {
    const own = [...definitions.all.values()].filter((d) => d.package === apiPackage.name && flat.has(d.fullName));
    if (own.length === 0) continue;
    files.set(`types/${apiPackage.file}.ts`, packageFile(definitions, apiPackage, own));
    const exported = own.map((d) =>
      d.name === flat.get(d.fullName) ? d.name : `${d.name} as ${flat.get(d.fullName)}`,
    );
    names.push(
      `export type {\n${exported.map((name) => `  ${name},\n`).join('')}} from './types/${apiPackage.file}.ts';`,
    );
  }
  files.set('types.ts', `${names.join('\n')}\n`);
  return files;
}

function packageFile(definitions: Definitions, apiPackage: ApiPackage, own: readonly Definition[]): string {
  const imports = new Set<string>();
  const body = own.map((definition) => interfaceText(definition));
  const lines = [...imports].sort().map((file) => `import type * as ${namespaceOf(file)} from './${file}.ts';`);
  return `${header}${lines.join('\n')}${lines.length > 0 ? '\n' : ''}\n${body.join('\n')}`;

  function interfaceText(definition: Definition): string {
    const required = new Set(definition.schema.required ?? []);
    const fields = Object.entries(definition.schema.properties ?? {}).map(([name, schema]) => {
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
      return `  readonly ${key}${required.has(name) ? '' : '?'}: ${typeText(schema)};\n`;
    });
    if (fields.length === 0) return `export type ${definition.name} = Readonly<Record<string, never>>;\n`;
    return `export interface ${definition.name} {\n${fields.join('')}}\n`;
  }

  function typeText(schema: SchemaDocument): string {
    const ref = refName(schema);
    if (ref !== undefined) return refText(ref);
    if (schema.type === 'array') return arrayText(typeText(schema.items ?? {}));
    if (schema.type === 'object') {
      return `Readonly<Record<string, ${schema.additionalProperties ? typeText(schema.additionalProperties) : 'unknown'}>>`;
    }
    if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (schema.type === 'string') return 'string';
    if (schema.type === 'integer' || schema.type === 'number') return 'number';
    if (schema.type === 'boolean') return 'boolean';
    return 'unknown';
  }

  function refText(ref: string): string {
    const text = inlined[ref];
    if (text !== undefined) return text;
    const target = definitions.all.get(ref);
    const home = definitions.packages.get(target?.package ?? '');
    if (target === undefined || home === undefined) throw new Error(`Cannot resolve the reference ${ref}`);
    if (home.name === apiPackage.name) return target.name;
    imports.add(home.file);
    return `${namespaceOf(home.file)}.${target.name}`;
  }
}

function arrayText(item: string): string {
  return item.includes(' | ') ? `readonly (${item})[]` : `readonly ${item}[]`;
}

function namespaceOf(file: string): string {
  return file.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
