// Stands between a process and the C library, and lets the n-th call that changes a file below a
// folder fail: a disk that is full, a folder that is gone, a process that is killed. It is loaded
// by LD_PRELOAD, so that it sees the calls of every library and every thread; run_faults.py uses it.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace {

enum Mode { once = 1, full, gone, killed, signalled };
enum Kind { creation, writing, flushing, naming, removal, closing };
constexpr int descriptors = 4096;

char folder[4096];
size_t folder_length;
int mode, signal_number;
long first_failure;
std::atomic<long> calls;
std::atomic<bool> has_fired;
std::atomic<bool> is_below[descriptors];

template <typename Function> Function original(Function, const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
#define ORIGINAL(name) original(&::name, #name)

bool is_known(int descriptor) {
  return descriptor >= 0 && descriptor < descriptors && is_below[descriptor];
}

bool is_watched(int parent, const char *path) {
  if (!mode || !path) return false;
  if (path[0] != '/') return is_known(parent);
  return !strncmp(path, folder, folder_length);
}

/// Counts a call; returns the error that it is to fail with, or 0.
int failure(Kind kind, int descriptor = -1, const void *data = nullptr, size_t size = 0) {
  const long call = ++calls;
  if (call < first_failure) return 0;
  const bool is_first = call == first_failure;
  if (!is_first && mode != full && mode != gone) return 0;
  if (mode == full && !is_first && (kind == removal || kind == closing)) return 0;
  has_fired = true;
  // What a disk takes before it is full, or a process writes before it is killed.
  if (is_first && kind == writing && (mode == full || mode == killed)) {
    [[maybe_unused]] const auto half = ORIGINAL(write)(descriptor, data, size / 2);
  }
  if (mode == killed) kill(getpid(), SIGKILL);
  if (mode == signalled) {
    kill(getpid(), signal_number);
    return 0;
  }
  return mode == gone ? EIO : ENOSPC;
}

int failed(int number) {
  errno = number;
  return -1;
}

int noted(int descriptor, bool watched) {
  if (descriptor >= 0 && descriptor < descriptors) is_below[descriptor] = watched;
  return descriptor;
}

template <typename Open> int opened(int parent, const char *path, int flags, Open open) {
  const bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY);
  const bool watched = changes && is_watched(parent, path);
  if (watched) {
    if (const int number = failure(creation)) return failed(number);
  }
  return noted(open(), watched);
}

}  // namespace

extern "C" {

/// Begins to count the calls below `path`; from the n-th on, or that one alone, they fail.
void fault_arm(const char *path, long n, int how, int number) {
  snprintf(folder, sizeof folder, "%s", path);
  folder_length = strlen(folder);
  first_failure = n, signal_number = number;
  calls = 0, has_fired = false;
  for (auto &known : is_below) known = false;
  mode = how;
}

/// Ends it; returns whether a call has failed.
int fault_disarm() {
  mode = 0;
  return has_fired;
}

#define OPEN(name)                                                              \
  int name(const char *path, int flags, ...) {                                  \
    va_list rest;                                                               \
    va_start(rest, flags);                                                      \
    const mode_t bits = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                               \
    return opened(AT_FDCWD, path, flags, [=] { return ORIGINAL(name)(path, flags, bits); }); \
  }
#define OPENAT(name)                                                            \
  int name(int parent, const char *path, int flags, ...) {                      \
    va_list rest;                                                               \
    va_start(rest, flags);                                                      \
    const mode_t bits = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                               \
    return opened(parent, path, flags, [=] { return ORIGINAL(name)(parent, path, flags, bits); }); \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define ON_DESCRIPTOR(kind, name, parameters, arguments)                        \
  int name parameters {                                                         \
    if (mode && is_known(descriptor)) {                                         \
      if (const int number = failure(kind, descriptor)) return failed(number);  \
    }                                                                           \
    return ORIGINAL(name) arguments;                                            \
  }
ON_DESCRIPTOR(flushing, fsync, (int descriptor), (descriptor))
ON_DESCRIPTOR(flushing, fdatasync, (int descriptor), (descriptor))
ON_DESCRIPTOR(removal, ftruncate, (int descriptor, off_t size), (descriptor, size))
ON_DESCRIPTOR(removal, ftruncate64, (int descriptor, off64_t size), (descriptor, size))

ssize_t write(int descriptor, const void *data, size_t size) {
  if (mode && is_known(descriptor)) {
    if (const int number = failure(writing, descriptor, data, size)) return failed(number);
  }
  return ORIGINAL(write)(descriptor, data, size);
}

int close(int descriptor) {
  const bool watched = mode && is_known(descriptor);
  const int number = watched ? failure(closing) : 0;
  noted(descriptor, false);
  const int result = ORIGINAL(close)(descriptor);  // a descriptor is gone even where this fails
  return number ? failed(number) : result;
}

#define ON_PATH(kind, name, parent, path, parameters, arguments)                \
  int name parameters {                                                         \
    if (is_watched(parent, path)) {                                             \
      if (const int number = failure(kind)) return failed(number);              \
    }                                                                           \
    return ORIGINAL(name) arguments;                                            \
  }
ON_PATH(naming, rename, AT_FDCWD, to, (const char *from, const char *to), (from, to))
ON_PATH(naming, renameat, parent, to, (int source, const char *from, int parent, const char *to),
        (source, from, parent, to))
ON_PATH(naming, link, AT_FDCWD, to, (const char *from, const char *to), (from, to))
ON_PATH(naming, symlink, AT_FDCWD, to, (const char *from, const char *to), (from, to))
ON_PATH(creation, mkdir, AT_FDCWD, path, (const char *path, mode_t bits), (path, bits))
ON_PATH(creation, mkdirat, parent, path, (int parent, const char *path, mode_t bits),
        (parent, path, bits))
ON_PATH(creation, truncate, AT_FDCWD, path, (const char *path, off_t size), (path, size))
ON_PATH(removal, unlink, AT_FDCWD, path, (const char *path), (path))
ON_PATH(removal, unlinkat, parent, path, (int parent, const char *path, int flags),
        (parent, path, flags))
ON_PATH(removal, rmdir, AT_FDCWD, path, (const char *path), (path))
}
