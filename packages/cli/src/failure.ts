/**
 * What went wrong in one sentence that a user can act on. Anything else that is thrown is a defect of ours and is
 * shown with its stack.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The message of an error with those of its causes, outermost first. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const messages: string[] = [];
  for (let current: unknown = error; current instanceof Error; current = (current as Error).cause) {
    if (!messages.some((message) => message.includes(current.message))) messages.push(current.message);
  }
  return messages.join(': ');
}

/** Whether a system call failed with this code, for example ENOENT. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The Unix socket that a failed connection was meant for; a Docker engine's, for nobody else is spoken to through one. */
export function unixSocketOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'address' in error && 'syscall' in error)) return undefined;
  const { address, syscall } = error;
  return syscall === 'connect' && typeof address === 'string' && address.startsWith('/') ? address : undefined;
}
