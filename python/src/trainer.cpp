// Trainers.
#include "trainer_calls.h"

namespace {

void create(Trainer *self, const Model &model, const Model *teacher, int32_t objective,
            float rotation_weight, float twin_weight, float cross_entropy_weight,
            float distillation_weight, float temperature, bool twin_90, bool twin_180,
            bool twin_270, bool all_views, int32_t rotations_per_image, float learning_rate,
            float momentum, float weight_decay, uint64_t seed) {
  skd_trainer_config config{};
  config.objective = objective;
  config.rotation_weight = rotation_weight;
  config.twin_weight = twin_weight;
  config.cross_entropy_weight = cross_entropy_weight;
  config.distillation_weight = distillation_weight;
  config.temperature = temperature;
  config.twin_90 = twin_90;
  config.twin_180 = twin_180;
  config.twin_270 = twin_270;
  config.all_views = all_views;
  config.rotations_per_image = rotations_per_image;
  config.learning_rate = learning_rate;
  config.momentum = momentum;
  config.weight_decay = weight_decay;
  config.seed = seed;
  skd_trainer *handle = nullptr;
  compute([&] {
    return skd_trainer_create(model.handle, teacher ? teacher->handle : nullptr, &config, &handle);
  });
  new (self) Trainer{handle, nb::find(model)};
}

nb::tuple losses_tuple(const skd_losses &losses) {
  return nb::make_tuple(losses.total, losses.cross_entropy, losses.rotation, losses.distillation,
                        losses.twin, losses.accuracy, losses.rotation_accuracy);
}

using Advance = decltype(&skd_trainer_step);

/// The seven numbers of skd_losses, in its order.
nb::tuple advance(const char *function, Advance call, const Trainer &trainer,
                  const Images &images, const std::optional<Labels> &labels,
                  const std::vector<TermDescription> &descriptions,
                  const std::optional<ShareDescription> &share_description) {
  const int64_t batch = int64_t(images.shape(0));
  Shape expected = nb::cast<const Model &>(trainer.model).images_shape(batch);
  if (images.ndim() == 4) expected[1] = expected[2] = int64_t(images.shape(1));
  require_shape(function, "images", images, expected);
  require_shape(function, "labels", labels, {batch});
  skd_losses losses{};
  Terms terms{trainer, {}, nullptr};
  std::vector<Terms::Term> contexts;
  contexts.reserve(descriptions.size());
  std::vector<skd_term> list;
  for (const auto &[name, reads_embedding, weight, function] : descriptions) {
    contexts.push_back({terms, function});
    skd_term term{};
    term.name = name.c_str();
    term.reads = reads_embedding ? SKD_TERM_EMBEDDING : SKD_TERM_LOGITS;
    term.weight = weight;
    term.function = &Terms::evaluate;
    term.context = &contexts.back();
    list.push_back(term);
  }
  std::optional<Share> share;
  skd_batch_share native_share{};
  if (share_description) {
    share.emplace(Share{trainer, *share_description, nullptr});
    native_share = share->native();
  }
  skd_step_options options{};
  options.terms = list.data();
  options.term_count = int64_t(list.size());
  options.share = share ? &native_share : nullptr;
  options.side = expected[1];
  const skd_status status = without_gil([&] {
    return call(trainer.handle, images.data(), pointer(labels), batch, &options, &losses);
  });
  if (terms.exception) std::rethrow_exception(terms.exception);
  if (share && share->exception) std::rethrow_exception(share->exception);
  if (status != SKD_OK) raise(status);
  return losses_tuple(losses);
}

nb::tuple step(const Trainer &trainer, const Images &images, const std::optional<Labels> &labels,
               const std::vector<TermDescription> &terms,
               const std::optional<ShareDescription> &share) {
  return advance("step", &skd_trainer_step, trainer, images, labels, terms, share);
}

nb::tuple loss(const Trainer &trainer, const Images &images, const std::optional<Labels> &labels,
               const std::vector<TermDescription> &terms,
               const std::optional<ShareDescription> &share) {
  return advance("loss", &skd_trainer_loss, trainer, images, labels, terms, share);
}

/// {name: read-only view} of the parameters that the last call gave a gradient.
nb::dict gradients(const Trainer &trainer) {
  const Model &model = nb::cast<const Model &>(trainer.model);
  nb::dict gradients;
  for (int64_t index = 0; index < model.info.state_count; ++index) {
    const skd_state_entry entry = model.entry(index);
    int32_t has_gradient = 0;
    compute([&] { return skd_trainer_has_gradient(trainer.handle, index, &has_gradient); });
    if (has_gradient && entry.gradient) {
      gradients[entry.name] = view(entry.gradient, entry, trainer.model);
    }
  }
  return gradients;
}

nb::tuple last_losses(const Trainer &trainer) {
  skd_losses losses{};
  compute([&] { return skd_trainer_get_losses(trainer.handle, &losses); });
  return losses_tuple(losses);
}

/// {name: read-only view} of the velocities, in the order of the model's state.
nb::dict velocities(nb::pointer_and_handle<Trainer> self) {
  const Trainer &trainer = *self.p;
  const Model &model = nb::cast<const Model &>(trainer.model);
  nb::dict velocities;
  for (int64_t index = 0; index < model.info.state_count; ++index) {
    const float *velocity = nullptr;
    compute([&] { return skd_trainer_get_velocity(trainer.handle, index, &velocity); });
    const skd_state_entry entry = model.entry(index);
    if (velocity) velocities[entry.name] = view(velocity, entry, self.h);
  }
  return velocities;
}

using Velocity = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

/// Replaces the velocities, in the order of `velocities`, and the step count.
void load(const Trainer &trainer, const std::vector<Velocity> &arrays, int64_t step) {
  const Model &model = nb::cast<const Model &>(trainer.model);
  std::vector<const float *> pointers(size_t(model.info.state_count), nullptr);
  size_t used = 0;
  for (int64_t index = 0; index < model.info.state_count; ++index) {
    const skd_state_entry entry = model.entry(index);
    if (entry.kind != SKD_PARAMETER) continue;
    if (used == arrays.size()) break;
    require_shape("load_state_dict", entry.name, arrays[used],
                  Shape(entry.shape, entry.shape + entry.dimensions));
    pointers[size_t(index)] = arrays[used++].data();
  }
  compute([&] {
    return skd_trainer_load(trainer.handle, pointers.data(), int64_t(pointers.size()), step);
  });
}

using TrainerLock = Lock<skd_trainer>;

TrainerLock locked(nb::pointer_and_handle<Trainer> self) {
  return {nb::borrow(self.h), self.p->handle, &skd_trainer_lock, &skd_trainer_unlock};
}

int64_t steps_taken(const Trainer &trainer) {
  int64_t step = 0;
  compute([&] { return skd_trainer_get_step(trainer.handle, &step); });
  return step;
}

int64_t step_memory(const Trainer &trainer, int64_t batch, int64_t side) {
  int64_t bytes = 0;
  compute([&] { return skd_trainer_step_memory(trainer.handle, batch, side, &bytes); });
  return bytes;
}

void require_memory(const Trainer &trainer, int64_t batch, int64_t side, int64_t further_bytes) {
  compute([&] { return skd_trainer_require_memory(trainer.handle, batch, side, further_bytes); });
}

void set_learning_rate(const Trainer &trainer, double learning_rate) {
  compute([&] { return skd_trainer_set_learning_rate(trainer.handle, learning_rate); });
}

}  // namespace

void bind_trainer(nb::module_ &module) {
  module.attr("SUPERVISED") = int(SKD_SUPERVISED);
  module.attr("GEN0") = int(SKD_GEN0);
  module.attr("GEN1") = int(SKD_GEN1);
  module.attr("DISTILLED") = int(SKD_DISTILLED);
  bind_lock<skd_trainer>(module, "TrainerLock");
  nb::class_<Trainer>(module, "Trainer")
      .def("__init__", &create, "model"_a, "teacher"_a.none(), nb::kw_only(), "objective"_a,
           "rotation_weight"_a, "twin_weight"_a, "cross_entropy_weight"_a, "distillation_weight"_a,
           "temperature"_a, "twin_90"_a, "twin_180"_a, "twin_270"_a, "all_views"_a,
           "rotations_per_image"_a, "learning_rate"_a, "momentum"_a, "weight_decay"_a, "seed"_a)
      .def("step", &step, array("images"), optional_array("labels"), "terms"_a,
           "share"_a.none())
      .def("loss", &loss, array("images"), optional_array("labels"), "terms"_a,
           "share"_a.none())
      .def("gradients", &gradients)
      .def("last_losses", &last_losses)
      .def("velocities", &velocities)
      .def("locked", &locked)
      .def("load", &load, array("velocities"), "step"_a)
      .def_prop_ro("steps_taken", &steps_taken)
      .def("step_memory", &step_memory, "batch"_a, "side"_a)
      .def("require_memory", &require_memory, "batch"_a, "side"_a, "further_bytes"_a)
      .def("set_learning_rate", &set_learning_rate, "learning_rate"_a);
}
