import { describe, expect, it } from 'vitest';
import * as names from './names.ts';

describe('names', () => {
  it.each([
    [names.dns1123LabelProblems, 'a-1', []],
    [names.dns1123LabelProblems, 'a.b', ['must not contain dots']],
    [names.dns1123LabelProblems, 'a'.repeat(64), ['must be no more than 63 bytes']],
    [names.dns1123SubdomainProblems, 'a.b-c.d', []],
    [
      names.dns1123SubdomainProblems,
      'A',
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      names.dns1035LabelProblems,
      '1a',
      [
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [names.qualifiedNameProblems, 'example.com/Name', []],
    [names.qualifiedNameProblems, '/x', ['prefix part must be non-empty']],
    [names.labelValueProblems, '', []],
    [names.labelValueProblems, 'v'.repeat(63), []],
    [names.portNameProblems, 'http', []],
    [names.portNameProblems, '80', ['must contain at least one letter (a-z)']],
    [names.portNameProblems, 'a--b', ['must not contain consecutive hyphens']],
    [names.envVarNameProblems, 'my env', []],
    [names.configMapKeyProblems, '..data', ["must not start with '..'"]],
    [names.configMapKeyProblems, 'a.txt', []],
    [names.percentProblems, '25%', []],
    [names.pathSegmentProblems, 'a/b', ["may not contain '/'"]],
  ])('%o on %j', (rule, value, problems) => {
    expect(rule(value)).toEqual(problems);
  });

  it('checks port numbers', () => {
    expect(names.portNumberProblems(0)).toEqual(['must be between 1 and 65535, inclusive']);
    expect(names.portNumberProblems(65_535)).toEqual([]);
  });
});
