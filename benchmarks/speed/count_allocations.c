/* Counts what is taken from the heap: preloaded by allocations.py, which asks by ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

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
