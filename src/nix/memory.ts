import type { CommandError } from '../errors.ts';

/**
 * Whether a call of Nix ended because there was not enough memory: the kernel killed it (SIGKILL), its allocator gave up
 * (SIGABRT), or it says so. Nix's words are in handleExceptions (src/libutil/error.cc), those of its garbage collector in
 * Boehm's alloc.c.
 */
export function ranOutOfMemory({ failure, stderr }: CommandError): boolean {
  if (failure.kind === 'signal' && (failure.signal === 'SIGKILL' || failure.signal === 'SIGABRT')) return true;
  const ended = failure.kind === 'signal' || failure.kind === 'exit';
  return ended && /out of memory|std::bad_alloc|cannot allocate memory/i.test(stderr);
}
