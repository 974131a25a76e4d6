/* Counts what is taken from the heap: preloaded by allocations.py, which asks by ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

static atomic_long calls, bytes;

static void count(size_t size) {
  calls++;
  bytes += (long)size;
}

void *malloc(size_t size) {
  static void *(*next)(size_t);
  if (!next) next = dlsym(RTLD_NEXT, "malloc");
  count(size);
  return next(size);
}

/* dlsym itself calls calloc. */
extern void *__libc_calloc(size_t number, size_t size);

void *calloc(size_t number, size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  static void *(*next)(void *, size_t);
  if (!next) next = dlsym(RTLD_NEXT, "realloc");
  count(size);
  return next(memory, size);
}

/* What the library maps for its large buffers. */
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  static void *(*next)(void *, size_t, int, int, int, off_t);
  if (!next) next = dlsym(RTLD_NEXT, "mmap");
  count(size);
  return next(address, size, protection, flags, file, offset);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  static int (*next)(void **, size_t, size_t);
  if (!next) next = dlsym(RTLD_NEXT, "posix_memalign");
  count(size);
  return next(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  static void *(*next)(size_t, size_t);
  if (!next) next = dlsym(RTLD_NEXT, "aligned_alloc");
  count(size);
  return next(alignment, size);
}

long skd_allocation_calls(void) { return calls; }
long skd_allocated_bytes(void) { return bytes; }
