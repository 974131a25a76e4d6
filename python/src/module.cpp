// The extension module skd._native: a binding of skd.h and nothing else.
#include <nanobind/stl/string.h>

#include "arguments.h"

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

  bind_convolution(module);
  bind_normalization(module);
  bind_pooling(module);
  bind_regularization(module);
  bind_squeeze_excitation(module);
  bind_elementwise(module);
  bind_losses(module);
  bind_schedules(module);
  bind_augmentation(module);
  bind_heads(module);
  bind_episodes(module);
  bind_calibration(module);
  bind_few_shot(module);
  bind_open_set(module);
  bind_model(module);
  bind_trainer(module);
  bind_measurements(module);
}
