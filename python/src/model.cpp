// Models: creation, evaluation, and views of their state.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "handles.h"

Model::Model(skd_model *handle) : handle(handle) {
  compute([&] { return skd_model_get_info(handle, &info); });
}

skd_state_entry Model::entry(int64_t index) const {
  skd_state_entry entry{};
  compute([&] { return skd_model_get_entry(handle, index, &entry); });
  return entry;
}

namespace {

using StateArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

void create(Model *self, const std::string &architecture, int64_t num_classes, int64_t image_size,
            int64_t input_channels, const std::vector<int64_t> &widths, float drop_rate,
            int64_t dropblock_size, int32_t rotation_head, uint64_t seed, bool is_bfloat16,
            bool use_se, bool zero_state) {
  skd_model_config config{};
  config.architecture = architecture.c_str();
  config.num_classes = num_classes;
  config.image_size = image_size;
  config.input_channels = input_channels;
  config.widths = widths.empty() ? nullptr : widths.data();
  config.width_count = int64_t(widths.size());
  config.drop_rate = drop_rate;
  config.dropblock_size = dropblock_size;
  config.rotation_head = rotation_head;
  config.seed = seed;
  config.precision = is_bfloat16 ? SKD_BFLOAT16 : SKD_FLOAT32;
  config.use_se = use_se;
  config.zero_state = zero_state;
  skd_model *handle = nullptr;
  compute([&] { return skd_model_create(&config, &handle); });
  new (self) Model(handle);
}

Model *clone_model(const Model &model) {
  skd_model *copy = nullptr;
  compute([&] { return skd_model_clone(model.handle, &copy); });
  return new Model(copy);
}

/// {name: read-only view} in PyTorch's order.
nb::dict state_dict(nb::pointer_and_handle<Model> self) {
  const Model &model = *self.p;
  nb::dict state;
  for (int64_t index = 0; index < model.info.state_count; ++index) {
    const skd_state_entry entry = model.entry(index);
    state[entry.name] = view(entry.data, entry, self.h);
  }
  return state;
}

/// Replaces the state by `arrays`, in the order of `state_dict`.
void load(const Model &model, const std::vector<StateArray> &arrays) {
  if (int64_t(arrays.size()) != model.info.state_count) {
    refuse("load_state_dict", "state_dict",
           "have " + std::to_string(model.info.state_count) + " entries",
           std::to_string(arrays.size()));
  }
  std::vector<const void *> pointers;
  for (size_t index = 0; index < arrays.size(); ++index) {
    const skd_state_entry entry = model.entry(int64_t(index));
    const auto type = entry.kind == SKD_COUNTER ? nb::dtype<int64_t>() : nb::dtype<float>();
    if (arrays[index].dtype() != type) {
      refuse("load_state_dict", entry.name, "be of the model's dtype", "another dtype");
    }
    require_shape("load_state_dict", entry.name, arrays[index],
                  Shape(entry.shape, entry.shape + entry.dimensions));
    pointers.push_back(arrays[index].data());
  }
  compute([&] {
    return skd_model_load(model.handle, pointers.data(), int64_t(pointers.size()));
  });
}

using ModelLock = Lock<skd_model>;

ModelLock locked(nb::pointer_and_handle<Model> self) {
  return {nb::borrow(self.h), self.p->handle, &skd_model_lock, &skd_model_unlock};
}

void evaluate(const Model &model, const Images &images,
              const std::optional<MatrixOutput> &embeddings,
              const std::optional<MatrixOutput> &logits,
              const std::optional<MatrixOutput> &rotation) {
  const int64_t batch = int64_t(images.shape(0));
  require_shape("evaluate", "images", images, model.images_shape(batch));
  require_shape("evaluate", "embeddings", embeddings, {batch, model.info.embedding_dim});
  require_shape("evaluate", "logits", logits, {batch, model.info.num_classes});
  require_shape("evaluate", "rotation", rotation, {batch, 4});
  compute([&] {
    return skd_model_evaluate(model.handle, images.data(), batch, pointer(embeddings),
                              pointer(logits), pointer(rotation));
  });
}

int64_t evaluation_memory(const Model &model, int64_t batch) {
  int64_t bytes = 0;
  compute([&] { return skd_model_evaluation_memory(model.handle, batch, &bytes); });
  return bytes;
}

void require_memory(const Model &model, int64_t batch, int64_t further_bytes) {
  compute([&] { return skd_model_require_memory(model.handle, batch, further_bytes); });
}

Shape stage_shape(const Model &model, int64_t batch, int64_t stage) {
  skd_image_shape shape{};
  compute([&] { return skd_model_stage_shape(model.handle, batch, stage, &shape); });
  return {shape.batch, shape.height, shape.width, shape.channels};
}

void stage_output(const Model &model, const Images &images, int64_t stage,
                  const ImagesOutput &output) {
  const int64_t batch = int64_t(images.shape(0));
  require_shape("stage_output", "images", images, model.images_shape(batch));
  require_shape("stage_output", "output", output, stage_shape(model, batch, stage));
  compute([&] {
    return skd_model_stage_output(model.handle, images.data(), batch, stage, output.data());
  });
}

}  // namespace

void bind_model(nb::module_ &module) {
  module.attr("EVALUATION_BATCH") = skd_evaluation_batch();
  bind_lock<skd_model>(module, "ModelLock");
  nb::class_<Model>(module, "Model")
      .def("__init__", &create, nb::kw_only(), "architecture"_a, "num_classes"_a, "image_size"_a,
           "input_channels"_a, "widths"_a, "drop_rate"_a, "dropblock_size"_a, "rotation_head"_a,
           "seed"_a, "is_bfloat16"_a, "use_se"_a, "zero_state"_a)
      .def("clone", &clone_model)
      .def("locked", &locked)
      .def("state_dict", &state_dict,
           nb::sig("def state_dict(self) -> dict[str, numpy.typing.NDArray[typing.Any]]"))
      .def("load", &load, array("arrays"))
      .def("evaluate", &evaluate, array("images"), optional_array("embeddings"),
           optional_array("logits"), optional_array("rotation"))
      .def("evaluation_memory", &evaluation_memory, "batch"_a)
      .def("require_memory", &require_memory, "batch"_a, "further_bytes"_a)
      .def("stage_shape", &stage_shape, "batch"_a, "stage"_a)
      .def("stage_output", &stage_output, array("images"), "stage"_a, array("output"))
      .def_prop_ro("num_classes", [](const Model &model) { return model.info.num_classes; })
      .def_prop_ro("image_size", [](const Model &model) { return model.info.image_size; })
      .def_prop_ro("input_channels", [](const Model &model) { return model.info.input_channels; })
      .def_prop_ro("embedding_dim", [](const Model &model) { return model.info.embedding_dim; })
      .def_prop_ro("parameter_count",
                   [](const Model &model) { return model.info.parameter_count; })
      .def_prop_ro("stage_count", [](const Model &model) { return model.info.stage_count; })
      .def_prop_ro("minimum_image_size",
                   [](const Model &model) { return model.info.minimum_image_size; })
      .def_prop_ro("has_rotation_head",
                   [](const Model &model) { return model.info.has_rotation_head != 0; });
}
