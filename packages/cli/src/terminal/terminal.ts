/** Where a command writes. Results go to `out`; progress, warnings and errors to `err`, so that pipes stay clean. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Raw bytes or text without a line end, for logs and archives. */
  write(bytes: string | Uint8Array): Promise<void>;
  /** Whether a person watches progress. */
  readonly interactive: boolean;
  /** Replaces the current line on an interactive terminal; nothing elsewhere. */
  status(text: string): void;
}

export function processTerminal(): Terminal {
  const interactive = process.stderr.isTTY === true;
  let hasStatus = false;
  const clear = (): void => {
    if (hasStatus) process.stderr.write('\r\x1b[2K');
    hasStatus = false;
  };
  // The reader of a pipe may leave early (`wherry get pods | head -1`): that is its right and no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    interactive,
    out: (line) => {
      clear();
      process.stdout.write(`${line}\n`);
    },
    err: (line) => {
      clear();
      process.stderr.write(`${line}\n`);
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    status: (text) => {
      if (!interactive) return;
      clear();
      process.stderr.write(text);
      hasStatus = true;
    },
  };
}
