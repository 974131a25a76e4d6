// The GIL, given back and taken again so that Python can end meanwhile.
#pragma once

#include <cxxabi.h>
#include <unistd.h>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

/// Runs what may wait for the GIL; `body` must own nothing.
///
/// When Python ends while a daemon thread waits for the GIL, it ends that thread: up to Python 3.13
/// by `pthread_exit`, which unwinds the stack. But the frames below must not be unwound. Those of
/// nanobind are noexcept, those of Swift have locks, and destructors would need the GIL. So the
/// thread sleeps until the process is gone, as it does since Python 3.14.
template <typename Body> auto outlasting_python(Body &&body) {
  try {
    return body();
  } catch (abi::__forced_unwind &) {
    for (;;) pause();
  }
}

/// Runs `body`, which must not throw, without the GIL.
template <typename Body> auto without_gil(Body &&body) {
  PyThreadState *thread = PyEval_SaveThread();
  auto result = body();
  outlasting_python([&] { PyEval_RestoreThread(thread); });
  return result;
}

/// Has the GIL while it lives, in a thread that runs `without_gil`.
class Gil {
public:
  Gil() : state(outlasting_python([] { return PyGILState_Ensure(); })) {}
  ~Gil() { PyGILState_Release(state); }
  Gil(const Gil &) = delete;
  Gil &operator=(const Gil &) = delete;

private:
  PyGILState_STATE state;
};

/// Calls a Python function, which may release the GIL.
template <typename... Arguments>
nb::object call_python(nb::handle function, const Arguments &...arguments) {
  PyObject *result = outlasting_python([&] {
    return PyObject_CallFunctionObjArgs(function.ptr(), arguments.ptr()..., nullptr);
  });
  if (!result) throw nb::python_error();
  return nb::steal(result);
}
