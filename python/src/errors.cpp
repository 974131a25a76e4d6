#include "errors.h"

#include <nanobind/nanobind.h>

#include "gil.h"

namespace {

/// Raises the error that `skd._refusals.native` makes of the parts, in the words of Python.
[[noreturn]] void raise_refusal(const skd_refusal &parts) {
  const nb::object bounds =
      parts.has_bounds
          ? nb::object(nb::make_tuple(parts.minimum, parts.maximum, parts.value, parts.unit))
          : nb::none();
  const nb::object error = nb::module_::import_("skd._refusals.native")
                               .attr("refusal")(parts.argument, parts.owner, parts.legal,
                                                parts.got, bounds);
  PyErr_SetObject(error.type().ptr(), error.ptr());
  throw nb::python_error();
}

}  // namespace

void raise(skd_status status) {
  const skd_refusal *refusal = skd_last_refusal();
  if (refusal) raise_refusal(*refusal);
  const char *message = skd_last_error();
  if (status == SKD_OUT_OF_MEMORY) {
    PyErr_SetString(PyExc_MemoryError, message);
  } else {
    const char *name = status == SKD_NON_FINITE ? "NonFiniteLossError" : "SKDError";
    const nb::object type = nb::module_::import_("skd.errors").attr(name);
    outlasting_python([&] { PyErr_SetString(type.ptr(), message); });
  }
  throw nb::python_error();
}

void refuse(const char *function, const char *name, const std::string &legal,
            const std::string &got) {
  skd_refusal parts{};
  parts.argument = name;
  parts.owner = function;
  parts.legal = legal.c_str();
  parts.got = got.c_str();
  raise_refusal(parts);
}

void refuse(const char *function, const char *name, int64_t minimum, int64_t maximum,
            int64_t value) {
  const std::string got = std::to_string(value);
  skd_refusal parts{};
  parts.argument = name;
  parts.owner = function;
  parts.legal = "";
  parts.got = got.c_str();
  parts.has_bounds = 1;
  parts.minimum = minimum;
  parts.maximum = maximum;
  parts.value = value;
  raise_refusal(parts);
}
