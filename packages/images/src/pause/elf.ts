import { type Architecture, pauseProgram } from './program.ts';

/** A static ELF executable of a few hundred bytes that only waits; see `pauseProgram` for what it does. */
export function pauseElf(architecture: Architecture): Uint8Array {
  const program = pauseProgram(architecture);
  const size = HEADER_BYTES + program.length;
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, /* 64 bit */ 2, /* little endian */ 1, /* version */ 1]);
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, architecture === 'amd64' ? 62 : 183, true); // machine
  view.setUint32(20, 1, true);
  view.setBigUint64(24, LOAD_ADDRESS + BigInt(HEADER_BYTES), true); // entry point
  view.setBigUint64(32, BigInt(ELF_HEADER_BYTES), true); // program headers follow at once
  view.setUint16(52, ELF_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, 1, true); // one program header
  view.setUint16(58, 64, true);
  view.setUint32(64, 1, true); // loadable
  view.setUint32(68, 5, true); // readable and executable
  view.setBigUint64(80, LOAD_ADDRESS, true);
  view.setBigUint64(88, LOAD_ADDRESS, true);
  view.setBigUint64(96, BigInt(size), true);
  view.setBigUint64(104, BigInt(size), true);
  view.setBigUint64(112, 0x10000n, true); // the largest page size of arm64
  file.set(program, HEADER_BYTES);
  return file;
}

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const HEADER_BYTES = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
const LOAD_ADDRESS = 0x400000n;
