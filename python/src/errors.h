// Python exceptions for what the library, or the binding itself, refuses.
#pragma once

#include <string>

#include <skd.h>

/// Raises the Python exception of a status.
[[noreturn]] void raise(skd_status status);

/// Refuses an argument. `legal` are the words after "must".
[[noreturn]] void refuse(const char *function, const char *name, const std::string &legal,
                         const std::string &got);

/// Refuses an integer outside of its bounds.
[[noreturn]] void refuse(const char *function, const char *name, int64_t minimum, int64_t maximum,
                         int64_t value);
