// resource.k8s.io/v1beta1 differs from v1 in two places: a request is flat there, and a device is one level deeper.
import type { ApiObject } from '@wherry/api';

type Json = Readonly<Record<string, unknown>>;

/** Fields that v1 keeps below `exactly`. */
const exactFields = [
  'deviceClassName',
  'selectors',
  'allocationMode',
  'count',
  'adminAccess',
  'tolerations',
  'capacity',
];

export function devicesToV1(object: ApiObject): ApiObject {
  return mapDevices(object, 'resource.k8s.io/v1', nestRequest, (device) => {
    const { basic, ...rest } = device;
    return isJson(basic) ? { ...rest, ...basic } : device;
  });
}

export function devicesToV1beta1(object: ApiObject): ApiObject {
  return mapDevices(object, 'resource.k8s.io/v1beta1', flattenRequest, ({ name, ...basic }) => ({ name, basic }));
}

function mapDevices(
  object: ApiObject,
  apiVersion: string,
  request: (json: Json) => Json,
  device: (json: Json) => Json,
): ApiObject {
  const converted = { ...object, apiVersion };
  switch (object.kind) {
    case 'ResourceClaim':
      return at(converted, ['spec', 'devices', 'requests'], request);
    case 'ResourceClaimTemplate':
      return at(converted, ['spec', 'spec', 'devices', 'requests'], request);
    case 'ResourceSlice':
      return at(converted, ['spec', 'devices'], device);
    default:
      return converted;
  }
}

function nestRequest(request: Json): Json {
  const exactly = Object.entries(request).filter(([field]) => exactFields.includes(field));
  if (exactly.length === 0) return request;
  const rest = Object.entries(request).filter(([field]) => !exactFields.includes(field));
  return { ...Object.fromEntries(rest), exactly: Object.fromEntries(exactly) };
}

function flattenRequest(request: Json): Json {
  const { exactly, ...rest } = request;
  return isJson(exactly) ? { ...rest, ...exactly } : request;
}

/** A copy of `json` with `map` applied to each entry of the list at `path`; the same object where there is none. */
function at<T extends object>(json: T, path: readonly string[], map: (json: Json) => Json): T {
  const [field, ...rest] = path;
  if (field === undefined) return json;
  const value: unknown = (json as Json)[field];
  if (rest.length === 0) {
    return Array.isArray(value)
      ? { ...json, [field]: value.map((each: unknown) => (isJson(each) ? map(each) : each)) }
      : json;
  }
  return isJson(value) ? { ...json, [field]: at(value, rest, map) } : json;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
