import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ApiObject, Container } from '@wherry/api';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { VerbError } from '../../kube/verb-error.ts';

/** Objects as `wherry create KIND` makes them from flags. */
export const namespace = (name: string): ApiObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export const serviceAccount = (name: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name },
});

export function containerName(image: string): string {
  return (image.split('/').at(-1) ?? image).split(/[:@]/)[0] ?? image;
}

interface DeploymentFlags {
  readonly image: readonly string[];
  readonly replicas: string;
  readonly port?: string;
}

export function deployment(name: string, flags: DeploymentFlags, command: readonly string[]): ApiObject {
  if (flags.image.length > 1 && command.length > 0) {
    throw new VerbError('cannot specify multiple --image options and command');
  }
  const labels = { app: name };
  const containers = flags.image.map(
    (image): Container => ({
      name: containerName(image),
      image,
      ...(command.length > 0 ? { command } : {}),
      ...(flags.port === undefined ? {} : { ports: [{ containerPort: wholeNumber('--port', flags.port) }] }),
    }),
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: wholeNumber('--replicas', flags.replicas),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  } as ApiObject;
}

export function cronJob(
  name: string,
  flags: { readonly image: string; readonly schedule: string; readonly restart: string },
  command: readonly string[],
): ApiObject {
  const container = { name, image: flags.image, ...(command.length > 0 ? { command } : {}) };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: {
      schedule: flags.schedule,
      jobTemplate: {
        metadata: { name },
        spec: { template: { spec: { containers: [container], restartPolicy: flags.restart } } },
      },
    },
  } as ApiObject;
}

export function quota(
  name: string,
  flags: { readonly hard?: readonly string[]; readonly scopes?: readonly string[] },
): ApiObject {
  const spec = {
    ...(flags.hard === undefined ? {} : { hard: parseLabelPairs(flags.hard) }),
    ...(flags.scopes === undefined ? {} : { scopes: flags.scopes }),
  };
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec } as ApiObject;
}

export function disruptionBudget(
  name: string,
  flags: { readonly selector: string; readonly minAvailable?: string; readonly maxUnavailable?: string },
): ApiObject {
  if ((flags.minAvailable === undefined) === (flags.maxUnavailable === undefined)) {
    throw new VerbError('one of min-available or max-unavailable must be specified');
  }
  const spec = {
    selector: { matchLabels: parseLabelPairs(flags.selector.split(',')) },
    ...(flags.minAvailable === undefined ? {} : { minAvailable: intOrString(flags.minAvailable) }),
    ...(flags.maxUnavailable === undefined ? {} : { maxUnavailable: intOrString(flags.maxUnavailable) }),
  };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name }, spec } as ApiObject;
}

export function priorityClass(
  name: string,
  flags: {
    readonly value: string;
    readonly globalDefault?: boolean;
    readonly description?: string;
    readonly preemptionPolicy: string;
  },
): ApiObject {
  const { globalDefault, description, preemptionPolicy } = flags;
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: wholeNumber('--value', flags.value),
    ...(globalDefault === true ? { globalDefault } : {}),
    ...(description === undefined ? {} : { description }),
    preemptionPolicy,
  } as ApiObject;
}

export function intOrString(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

export function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (text === '' || !Number.isInteger(number))
    throw new VerbError(`invalid argument "${text}" for "${flag}": not a whole number`);
  return number;
}

interface DataFlags {
  readonly fromLiteral?: readonly string[];
  readonly fromFile?: readonly string[];
  readonly fromEnvFile?: readonly string[];
  readonly type?: string;
}

export function configMap(name: string, flags: DataFlags): ApiObject {
  const entries = dataOf(flags);
  const isText = (bytes: Buffer) => bytes.equals(Buffer.from(bytes.toString('utf8')));
  const text = entries.filter(([, bytes]) => isText(bytes)).map(([key, bytes]) => [key, bytes.toString('utf8')]);
  const binary = entries.filter(([, bytes]) => !isText(bytes)).map(([key, bytes]) => [key, bytes.toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    ...(text.length === 0 ? {} : { data: Object.fromEntries(text) }),
    ...(binary.length === 0 ? {} : { binaryData: Object.fromEntries(binary) }),
  } as ApiObject;
}

export function secret(name: string, flags: DataFlags): ApiObject {
  return secretOf(name, dataOf(flags), flags.type);
}

export function tlsSecret(name: string, flags: { readonly cert: string; readonly key: string }): ApiObject {
  const entries = [['tls.crt', read(flags.cert)] as const, ['tls.key', read(flags.key)] as const];
  return secretOf(name, entries, 'kubernetes.io/tls');
}

export function registrySecret(
  name: string,
  flags: {
    readonly dockerServer: string;
    readonly dockerUsername: string;
    readonly dockerPassword: string;
    readonly dockerEmail?: string;
  },
): ApiObject {
  const { dockerServer, dockerUsername: username, dockerPassword: password, dockerEmail: email } = flags;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const account = { username, password, ...(email === undefined ? {} : { email }), auth };
  const config = Buffer.from(JSON.stringify({ auths: { [dockerServer]: account } }));
  return secretOf(name, [['.dockerconfigjson', config]], 'kubernetes.io/dockerconfigjson');
}

function secretOf(name: string, entries: readonly (readonly [string, Buffer])[], type: string | undefined): ApiObject {
  const data = Object.fromEntries(entries.map(([key, bytes]) => [key, bytes.toString('base64')]));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...(entries.length === 0 ? {} : { data }),
    ...(type === undefined ? {} : { type }),
  } as ApiObject;
}

/** @throws VerbError for a key that comes twice */
function dataOf(flags: DataFlags): readonly (readonly [string, Buffer])[] {
  const literals = (flags.fromLiteral ?? []).map((text) => pair(text, 'literal source'));
  const entries = [
    ...literals.map(([key, value]) => [key, Buffer.from(value)] as const),
    ...(flags.fromFile ?? []).flatMap(filesOf),
    ...(flags.fromEnvFile ?? []).flatMap(environmentOf),
  ];
  const keys = entries.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new VerbError(`cannot add key ${twice}, another key by that name already exists`);
  return entries;
}

function pair(text: string, what: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new VerbError(`invalid ${what} ${text}, expected key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function filesOf(text: string): readonly (readonly [string, Buffer])[] {
  const equals = text.indexOf('=');
  const path = equals === -1 ? text : text.slice(equals + 1);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new VerbError(`error reading ${path}: no such file or directory`);
  if (!found.isDirectory()) return [[equals === -1 ? basename(path) : text.slice(0, equals), read(path)]];
  if (equals !== -1) throw new VerbError('cannot give a key name for a directory path');
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, read(join(path, entry.name))] as const);
}

function environmentOf(path: string): readonly (readonly [string, Buffer])[] {
  const lines = read(path).toString('utf8').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [key, value] = pair(line, 'environment line');
      return [key, Buffer.from(value)] as const;
    });
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new VerbError(`Cannot read file ${path}`, { cause });
  }
}
