import {
  type FieldType,
  type Message,
  type MessageField,
  messageAt,
  type ScalarCode,
} from '../http/protobuf/messages.ts';

/** Any JSON object. */
export type Sample = Record<string, unknown>;

/**
 * An object with every field of a kind set, by the rule upstream's own test data follows: texts say the field's name,
 * numbers are the field's number.
 */
export function sampleOf(message: Message): Sample {
  const sample: Sample = {};
  for (const field of message.fields) {
    if (field.inline) {
      Object.assign(sample, field.type.kind === 'message' ? sampleOf(messageAt(field.type.line)) : {});
    } else {
      sample[field.name] = sampleField(field);
    }
  }
  return sample;
}

function sampleField({ name, number, type, repeated }: MessageField): unknown {
  if (type.kind === 'map') {
    const isTime = type.values.kind === 'scalar' && type.values.code === 't';
    return { [`${name}Key`]: isTime ? null : sampleValue(type.values, name, number) };
  }
  const value = sampleValue(type, name, number);
  return repeated ? [value] : value;
}

function sampleValue(type: FieldType, name: string, number: number): unknown {
  if (type.kind === 'scalar') {
    return sampleScalar(type.code, name, number);
  }
  const message = messageAt(type.kind === 'message' ? type.line : -1);
  return message.isList ? [`${name}Value`] : sampleOf(message);
}

function sampleScalar(code: ScalarCode, name: string, number: number): unknown {
  const year = String(2000 + number);
  switch (code) {
    case 's':
    case 'x':
      return `${name}Value`;
    case 'b':
      return true;
    case 'i':
    case 'd':
      return number;
    case 'y':
      return Buffer.of(number).toString('base64');
    case 'q':
      return '0';
    case 't':
      return `${year}-01-01T01:01:01Z`;
    case 'm':
      return `${year}-01-01T01:01:01.${String(number).padStart(6, '0')}Z`;
    case 'r':
      return name === 'fieldsV1' ? {} : rawSample;
    default:
      throw new Error(`No sample for the union ${code}: upstream's test data has none`);
  }
}

const rawSample = {
  apiVersion: 'example.com/v1',
  kind: 'CustomType',
  spec: { replicas: 1 },
  status: { available: 1 },
};
