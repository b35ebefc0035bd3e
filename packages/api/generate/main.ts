// npm run generate -- <folder with swagger.json, v3/*.json, discovery-core-v1.json and discovery-aggregated-v2.json>
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readDefaults, readDefinitions } from './document.ts';
import { factsFile } from './facts.ts';
import { flatNames } from './names.ts';
import { readResources, resourceFile, versionRanks } from './resources.ts';
import { typeFiles } from './types.ts';

const input = process.argv[2] ?? process.env['WHERRY_OPENAPI_FOLDER'];
if (input === undefined) {
  console.error('Cannot generate: name the folder of the official OpenAPI documents as the first argument');
  process.exit(2);
}
const output = join(import.meta.dirname, '..', 'src', 'generated');

const definitions = readDefinitions(input);
const served = readResources(input);
const flat = flatNames(definitions, versionRanks(served));
const typeNames = new Map<string, string>();
for (const { fullName, kinds } of definitions.all.values()) {
  for (const { group, version, kind } of kinds) typeNames.set(`${group}/${version}/${kind}`, flat.get(fullName) ?? '');
}

const files = new Map(typeFiles(definitions, flat));
files.set(
  'resources.ts',
  resourceFile(served, (group, version, kind) => {
    const name = typeNames.get(`${group}/${version}/${kind}`);
    if (name === undefined) throw new Error(`No definition for the served kind ${group}/${version} ${kind}`);
    return name;
  }),
);
files.set('facts.ts', factsFile(definitions, readDefaults(input)));

rmSync(output, { recursive: true, force: true });
for (const [name, text] of files) {
  const path = join(output, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`${files.size} files for ${definitions.all.size} definitions and ${served.length} resources in ${output}`);
