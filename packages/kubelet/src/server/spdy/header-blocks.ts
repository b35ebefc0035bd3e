// Header blocks of SPDY/3: pairs of texts behind their lengths, compressed by one zlib stream for each direction of a
// connection. Blocks must therefore be handled in the order in which they stand on the wire.
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';
import { CONTROL_BYTES_MAX, SpdyError } from './frames.ts';

/** Names in lower case. */
export type Headers = ReadonlyMap<string, string>;

export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary });

  constructor() {
    // A block may fail after its reader has given up for another reason.
    this.#inflate.on('error', () => undefined);
  }

  /** @throws SpdyError when the block is damaged or too large */
  async read(block: Buffer): Promise<Headers> {
    return parse(await through(this.#inflate, (done) => this.#inflate.write(block, done)));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

export class HeaderWriter {
  readonly #deflate: Deflate = createDeflate({ dictionary: headerDictionary });

  write(headers: Headers): Promise<Buffer> {
    this.#deflate.write(serialize(headers));
    return through(this.#deflate, (done) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => done()));
  }

  close(): void {
    this.#deflate.destroy();
  }
}

/** What comes out of a zlib stream until `work` is done. */
function through(stream: Inflate | Deflate, work: (done: (error?: Error | null) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const settle = (error?: Error | null): void => {
      stream.off('data', onData);
      stream.off('error', settle);
      if (error == null) resolve(Buffer.concat(parts));
      else reject(new SpdyError(`bad header block: ${error.message}`, { cause: error }));
    };
    const onData = (part: Buffer): void => {
      parts.push(part);
      length += part.length;
      if (length > CONTROL_BYTES_MAX) settle(new Error(`more than ${CONTROL_BYTES_MAX} bytes`));
    };
    stream.on('data', onData);
    stream.once('error', settle);
    // A stream that failed before, or was closed with its connection, calls nobody back.
    if (stream.destroyed) settle(new Error('the connection is closed'));
    else work(settle);
  });
}

function parse(bytes: Buffer): Headers {
  let offset = 0;
  const number = (): number => {
    if (offset + 4 > bytes.length) throw new SpdyError('a header block is too short');
    offset += 4;
    return bytes.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const length = number();
    if (offset + length > bytes.length) throw new SpdyError('a header block is too short');
    offset += length;
    return bytes.toString('utf8', offset - length, offset);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase();
    headers.set(name, text());
  }
  return headers;
}

function serialize(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  number(headers.size);
  for (const [name, value] of headers) {
    for (const text of [name, value]) {
      const bytes = Buffer.from(text);
      number(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}
