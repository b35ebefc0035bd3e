import { Assembler } from './assembler.ts';

/**
 * What runs in every sandbox as process 1: it waits for SIGTERM or SIGINT and ends, and reaps the children that a pod
 * with a shared process namespace leaves to it. The signals are blocked and fetched, not handled: a blocked signal is
 * kept even for process 1 (which ignores what it has no handler for), and no restorer trampoline is needed.
 */
export function pauseProgram(architecture: Architecture): Uint8Array {
  return architecture === 'amd64' ? amd64() : arm64();
}

export type Architecture = 'amd64' | 'arm64';

const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const signalSet = (1 << (SIGINT - 1)) | (1 << (SIGTERM - 1)) | (1 << (SIGCHLD - 1));
const SIGNAL_SET_BYTES = 8;
const WNOHANG = 1;

function amd64(): Uint8Array {
  const to8 = (distance: number): readonly number[] => [distance - 1];
  const toEnd32 = (distance: number): readonly number[] => {
    const relative = distance - 4;
    return [relative, relative >> 8, relative >> 16, relative >> 24];
  };
  const systemCall = (assembler: Assembler, number: number): Assembler =>
    assembler.emit(0xb8, number & 0xff, number >> 8, 0, 0).emit(0x0f, 0x05); // mov eax, number; syscall
  const program = new Assembler();
  program.emit(0x31, 0xff); // xor edi, edi (SIG_BLOCK)
  program.emit(0x48, 0x8d, 0x35).reference('signals', 4, toEnd32); // lea rsi, [rip + signals]
  program.emit(0x31, 0xd2); // xor edx, edx (old set: none)
  program.emit(0x41, 0xba, SIGNAL_SET_BYTES, 0, 0, 0); // mov r10d, 8
  systemCall(program, 14); // rt_sigprocmask
  program.label('wait');
  program.emit(0x48, 0x8d, 0x3d).reference('signals', 4, toEnd32); // lea rdi, [rip + signals]
  program.emit(0x31, 0xf6).emit(0x31, 0xd2); // xor esi, esi (info: none); xor edx, edx (no time limit)
  program.emit(0x41, 0xba, SIGNAL_SET_BYTES, 0, 0, 0); // mov r10d, 8
  systemCall(program, 128); // rt_sigtimedwait
  program.emit(0x83, 0xf8, SIGCHLD); // cmp eax, SIGCHLD
  program.emit(0x75).reference('not a child', 1, to8); // jne
  program.label('reap');
  program.emit(0x83, 0xcf, 0xff); // or edi, -1 (any child)
  program.emit(0x31, 0xf6); // xor esi, esi (status: unread)
  program.emit(0xba, WNOHANG, 0, 0, 0); // mov edx, WNOHANG
  program.emit(0x45, 0x31, 0xd2); // xor r10d, r10d (usage: unread)
  systemCall(program, 61); // wait4
  program.emit(0x85, 0xc0); // test eax, eax
  program.emit(0x7f).reference('reap', 1, to8); // jg: one was reaped, look for more
  program.emit(0xeb).reference('wait', 1, to8); // jmp
  program.label('not a child');
  program.emit(0x85, 0xc0); // test eax, eax
  program.emit(0x78).reference('wait', 1, to8); // js: interrupted
  program.emit(0x31, 0xff); // xor edi, edi
  systemCall(program, 60); // exit
  program.label('signals').emit(signalSet & 0xff, (signalSet >> 8) & 0xff, (signalSet >> 16) & 0xff, 0, 0, 0, 0, 0);
  return program.finish();
}

function arm64(): Uint8Array {
  const bytesOf = (word: number): readonly number[] => [word, word >>> 8, word >>> 16, word >>> 24];
  const program = new Assembler();
  const set = (register: number, value: number): Assembler =>
    program.word((0xd2800000 | (value << 5) | register) >>> 0); // movz
  const minusOne = (register: number): Assembler => program.word((0x92800000 | register) >>> 0); // movn
  const address = (register: number, label: string): Assembler =>
    program.reference(label, 4, (distance) =>
      bytesOf((0x10000000 | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5) | register) >>> 0),
    ); // adr
  const compare = (register: number, value: number): Assembler =>
    program.word((0xf1000000 | (value << 10) | (register << 5) | 31) >>> 0);
  const branchIf = (condition: number, label: string): Assembler =>
    program.reference(label, 4, (distance) =>
      bytesOf((0x54000000 | (((distance >> 2) & 0x7ffff) << 5) | condition) >>> 0),
    );
  const branch = (label: string): Assembler =>
    program.reference(label, 4, (distance) => bytesOf((0x14000000 | ((distance >> 2) & 0x3ffffff)) >>> 0));
  const systemCall = (number: number): Assembler => set(8, number).word(0xd4000001); // svc #0
  const notEqual = 1;
  const lessThan = 11;
  const greaterThan = 12;
  set(0, 0); // SIG_BLOCK
  address(1, 'signals');
  set(2, 0);
  set(3, SIGNAL_SET_BYTES);
  systemCall(135); // rt_sigprocmask
  program.label('wait');
  address(0, 'signals');
  set(1, 0);
  set(2, 0);
  set(3, SIGNAL_SET_BYTES);
  systemCall(137); // rt_sigtimedwait
  compare(0, SIGCHLD);
  branchIf(notEqual, 'not a child');
  program.label('reap');
  minusOne(0);
  set(1, 0);
  set(2, WNOHANG);
  set(3, 0);
  systemCall(260); // wait4
  compare(0, 0);
  branchIf(greaterThan, 'reap');
  branch('wait');
  program.label('not a child');
  compare(0, 0);
  branchIf(lessThan, 'wait');
  set(0, 0);
  systemCall(93); // exit
  program.label('signals').emit(signalSet & 0xff, (signalSet >> 8) & 0xff, (signalSet >> 16) & 0xff, 0, 0, 0, 0, 0);
  return program.finish();
}
