import { Command } from 'commander';
import { expect, it } from 'vitest';
import { readableWords } from './words.ts';

function program(): Command {
  const root = new Command('wherry');
  root
    .command('get')
    .alias('g')
    .option('-n, --namespace <name>')
    .option('-o, --output <format>')
    .option('-w, --watch')
    .option('--no-headers');
  const create = root
    .command('create')
    .option('-n, --namespace <name>')
    .option('--dry-run <strategy>')
    .option('-R, --recursive');
  create.command('deployment').alias('deploy').option('-n, --namespace <name>').option('--dry-run <strategy>');
  return root;
}

it.each([
  ['get pods -o yaml', 'get pods -o yaml'],
  ['get pods -o=yaml', 'get pods -o yaml'],
  ['get pods -oyaml', 'get pods -oyaml'],
  ['-n web get pods', 'get -n web pods'],
  ['--namespace=web --context c g pods', 'g --namespace=web --context c pods'],
  ['get pods --watch=true', 'get pods --watch'],
  ['get pods --watch=false', 'get pods'],
  ['get pods --headers=false', 'get pods --no-headers'],
  ['get pods --no-headers=true', 'get pods --no-headers'],
  ['create -n web --dry-run=client deploy x', 'create deploy -n web --dry-run=client x'],
  ['create --dry-run client -R deploy x', 'create deploy --dry-run client -R x'],
  ['create -f x.yaml', 'create -f x.yaml'],
  ['create deploy x --dry-run=true', 'create deploy x --dry-run=true'],
  ['get x -- --watch=false -o=y', 'get x -- --watch=false -o=y'],
  ['nosuch -n x', 'nosuch -n x'],
])('%s', (given, read) => expect(readableWords(given.split(' '), program()).join(' ')).toBe(read));
