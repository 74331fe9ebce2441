/**
 * The program that probe builds run: `probe OUT OUTSIDE`, in machine code for each system that can be probed.
 *
 * It exits with 7 if it can open the file OUTSIDE, because then there is no sandbox. Otherwise it creates OUT, writes the
 * machine name from `uname` to it, and exits with 0. It has no dependencies, so it can be a derivation's builder in an
 * empty store. It was assembled with llvm-mc from the text after the bytes.
 */
interface Program {
  bits: 32 | 64;
  /** e_machine and e_flags, from the System V ABI supplement of each processor. */
  machine: number;
  flags: number;
  /** Each line has the bytes of one instruction in hex, then its text. */
  text: string;
}

const programs: Record<string, Program> = {
  'x86_64-linux': {
    bits: 64,
    machine: 62,
    flags: 0,
    text: `
      488b742418         mov rsi, qword ptr [rsp + 24]
      bf9cffffff         mov edi, 4294967196
      31d2               xor edx, edx
      b801010000         mov eax, 257
      0f05               syscall
      85c0               test eax, eax
      794d               jns seen
      488b742410         mov rsi, qword ptr [rsp + 16]
      bf9cffffff         mov edi, 4294967196
      bac1000000         mov edx, 193
      41ba24010000       mov r10d, 292
      b801010000         mov eax, 257
      0f05               syscall
      85c0               test eax, eax
      7834               js fail
      89c3               mov ebx, eax
      4881ec90010000     sub rsp, 400
      4889e7             mov rdi, rsp
      b83f000000         mov eax, 63
      0f05               syscall
      89df               mov edi, ebx
      488db42404010000   lea rsi, [rsp + 260]
      ba41000000         mov edx, 65
      b801000000         mov eax, 1
      0f05               syscall
      31ff               xor edi, edi
      eb0c               jmp end
      seen:
      bf07000000         mov edi, 7
      eb05               jmp end
      fail:
      bf01000000         mov edi, 1
      end:
      b8e7000000         mov eax, 231
      0f05               syscall
    `,
  },
  'aarch64-linux': {
    bits: 64,
    machine: 183,
    flags: 0,
    text: `
      e10f40f9           ldr x1, [sp, #24]
      600c8092           mov x0, #-100
      020080d2           mov x2, #0
      080780d2           mov x8, #56
      010000d4           svc #0
      8002f8b6           tbz x0, #63, seen
      e10b40f9           ldr x1, [sp, #16]
      600c8092           mov x0, #-100
      221880d2           mov x2, #193
      832480d2           mov x3, #292
      080780d2           mov x8, #56
      010000d4           svc #0
      e001f8b7           tbnz x0, #63, fail
      f30300aa           mov x19, x0
      ff4306d1           sub sp, sp, #400
      e0030091           mov x0, sp
      081480d2           mov x8, #160
      010000d4           svc #0
      e00313aa           mov x0, x19
      e1130491           add x1, sp, #260
      220880d2           mov x2, #65
      080880d2           mov x8, #64
      010000d4           svc #0
      000080d2           mov x0, #0
      04000014           b end
      seen:
      e00080d2           mov x0, #7
      02000014           b end
      fail:
      200080d2           mov x0, #1
      end:
      c80b80d2           mov x8, #94
      010000d4           svc #0
    `,
  },
  'riscv64-linux': {
    bits: 64,
    machine: 243,
    flags: 0,
    text: `
      83358101           ld a1, 24(sp)
      1305c0f9           li a0, -100
      13060000           li a2, 0
      93088003           li a7, 56
      73000000           ecall
      63580504           bgez a0, seen
      83350101           ld a1, 16(sp)
      1305c0f9           li a0, -100
      1306100c           li a2, 193
      93064012           li a3, 292
      93088003           li a7, 56
      73000000           ecall
      634e0502           bltz a0, fail
      93040500           mv s1, a0
      130101e7           addi sp, sp, -400
      13050100           mv a0, sp
      9308000a           li a7, 160
      73000000           ecall
      13850400           mv a0, s1
      93054110           addi a1, sp, 260
      13061004           li a2, 65
      93080004           li a7, 64
      73000000           ecall
      13050000           li a0, 0
      6f000001           j end
      seen:
      13057000           li a0, 7
      6f008000           j end
      fail:
      13051000           li a0, 1
      end:
      9308e005           li a7, 94
      73000000           ecall
    `,
  },
  'armv7l-linux': {
    bits: 32,
    machine: 40,
    flags: 0x5000000,
    text: `
      0c109de5           ldr r1, [sp, #12]
      6300e0e3           mvn r0, #99
      0020a0e3           mov r2, #0
      057da0e3           mov r7, #320
      027087e2           add r7, r7, #2
      000000ef           svc #0
      000050e3           cmp r0, #0
      140000aa           bge seen
      08109de5           ldr r1, [sp, #8]
      6300e0e3           mvn r0, #99
      c120a0e3           mov r2, #193
      493fa0e3           mov r3, #292
      057da0e3           mov r7, #320
      027087e2           add r7, r7, #2
      000000ef           svc #0
      000050e3           cmp r0, #0
      0d0000ba           blt fail
      0040a0e1           mov r4, r0
      19de4de2           sub sp, sp, #400
      0d00a0e1           mov r0, sp
      7a70a0e3           mov r7, #122
      000000ef           svc #0
      0400a0e1           mov r0, r4
      411f8de2           add r1, sp, #260
      4120a0e3           mov r2, #65
      0470a0e3           mov r7, #4
      000000ef           svc #0
      0000a0e3           mov r0, #0
      020000ea           b end
      seen:
      0700a0e3           mov r0, #7
      000000ea           b end
      fail:
      0100a0e3           mov r0, #1
      end:
      f870a0e3           mov r7, #248
      000000ef           svc #0
    `,
  },
};

/** Systems for which there is a probe program. */
export const provableSystems: readonly string[] = [...Object.keys(programs), 'armv6l-linux'];

/** The ELF executable for `system`; null if there is none. */
export function probeProgram(system: string): Buffer | null {
  const program = programs[sameCode[system] ?? system];
  if (program === undefined) return null;
  const bytes = program.text.split('\n').map(line => /^ *([0-9a-f]{4,})(?: |$)/.exec(line)?.[1] ?? '');
  return executable(program, Buffer.from(bytes.join(''), 'hex'));
}

/** An ELF executable with one segment, which contains the headers and the code. */
function executable(program: Program, code: Buffer): Buffer {
  const wide = program.bits === 64;
  const [headerSize, segmentSize] = wide ? [64, 56] : [52, 32];
  const header = Buffer.alloc(headerSize + segmentSize);
  const base = 0x10000;
  const size = header.length + code.length;
  let at = header.write('\x7fELF', 'latin1');
  const half = (value: number): void => {
    at = header.writeUInt16LE(value, at);
  };
  const word = (value: number): void => {
    at = header.writeUInt32LE(value, at);
  };
  const address = (value: number): void => {
    if (wide) at = header.writeBigUInt64LE(BigInt(value), at);
    else word(value);
  };
  for (const byte of [wide ? 2 : 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]) at = header.writeUInt8(byte, at);
  half(2); // executable
  half(program.machine);
  word(1);
  address(base + header.length); // entry
  address(headerSize); // program headers
  address(0);
  word(program.flags);
  half(headerSize);
  half(segmentSize);
  half(1);
  half(0);
  half(0);
  half(0);
  word(1); // loadable
  if (wide) word(5); // readable and executable
  address(0);
  address(base);
  address(base);
  address(size);
  address(size);
  if (!wide) word(5);
  address(0x1000);
  return Buffer.concat([header, code]);
}

/** Systems whose processors run the program of another system. */
const sameCode: Readonly<Record<string, string>> = { 'armv6l-linux': 'armv7l-linux' };
