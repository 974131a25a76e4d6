// The extension module skd._native: a binding of skd.h and nothing else.
#include <nanobind/stl/string.h>

#include "arguments.h"

void raise_refusal(const std::string &sentence) {
  const nb::object error = nb::module_::import_("skd._refusals.native").attr("refusal")(sentence);
  PyErr_SetObject(error.type().ptr(), error.ptr());
  throw nb::python_error();
}

/// The one place where a status becomes a Python exception.
void raise(skd_status status) {
  const char *message = skd_last_error();
  if (status == SKD_INVALID_ARGUMENT) raise_refusal(message);
  if (status == SKD_OUT_OF_MEMORY) {
    PyErr_SetString(PyExc_MemoryError, message);
  } else {
    const char *name = status == SKD_NON_FINITE ? "NonFiniteLossError" : "SKDError";
    const nb::object type = nb::module_::import_("skd.errors").attr(name);
    outlasting_python([&] { PyErr_SetString(type.ptr(), message); });
  }
  throw nb::python_error();
}

NB_MODULE(_native, module) {
  module.doc() = "Binding of skd.h. Private: use the functions of the package skd.";
  nb::set_leak_warnings(false);  // a model that is alive when Python ends is not a leak

  module.def(
      "set_num_threads", [](int64_t count) { compute([&] { return skd_set_num_threads(count); }); },
      "count"_a);
  module.def("get_num_threads", &skd_get_num_threads);
  module.def("available_processors", &skd_available_processors);
  module.def("instruction_set", &skd_instruction_set);
  module.def("available_memory", &skd_available_memory);
  module.def("live_memory", &skd_live_memory);
  module.def(
      "watch_mapping",
      [](uintptr_t start, int64_t length) {
        compute([&] { return skd_watch_mapping(reinterpret_cast<const void *>(start), length); });
      },
      "start"_a, "length"_a);
  module.def(
      "unwatch_mapping",
      [](uintptr_t start) { skd_unwatch_mapping(reinterpret_cast<const void *>(start)); },
      "start"_a);
  module.def(
      "mapping_is_damaged",
      [](uintptr_t start) {
        return skd_mapping_is_damaged(reinterpret_cast<const void *>(start)) != 0;
      },
      "start"_a);

  bind_operations(module);
  bind_layers(module);
  bind_losses(module);
  bind_augmentation(module);
  bind_few_shot(module);
  bind_model(module);
  bind_trainer(module);
  bind_measurements(module);
}
