// Trainers and learning-rate schedules.
#include <exception>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "handles.h"

namespace {

/// A trainer, with the Python object of its model for the views of gradients.
struct Trainer {
  skd_trainer *handle = nullptr;
  nb::object model;

  ~Trainer() { skd_trainer_free(handle); }
};

void create(Trainer *self, const Model &model, const Model *teacher, int32_t objective,
            float alpha, float beta, float temperature, bool twin_90, bool twin_180, bool twin_270,
            bool all_views, float learning_rate, float momentum, float weight_decay,
            uint64_t seed) {
  const skd_trainer_config config{objective,     alpha,     beta,     temperature,
                                  twin_90,       twin_180,  twin_270, all_views,
                                  learning_rate, momentum,  weight_decay, seed};
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

/// Name, whether it reads the embedding, weight, and what computes value and gradient.
using TermDescription = std::tuple<std::string, bool, float, nb::callable>;

/// The terms of one call. Gradients and an exception are kept here until Swift has returned.
struct Terms {
  const Trainer &trainer;
  std::vector<Matrix> gradients;
  std::exception_ptr exception;

  struct Term {
    Terms &terms;
    const nb::callable &function;
  };

  static int32_t evaluate(void *context, const skd_term_input *input, double *value,
                          const float **gradient) {
    Term &term = *static_cast<Term *>(context);
    nb::gil_scoped_acquire acquired;
    try {
      std::tie(*value, *gradient) = term.terms.evaluate(term.function, *input);
      return 0;
    } catch (...) {
      term.terms.exception = std::current_exception();
      return 1;
    }
  }

  std::pair<double, const float *> evaluate(const nb::callable &function,
                                            const skd_term_input &input) {
    const Shape shape{input.view_count * input.batch, input.dimensions};
    const size_t extents[] = {size_t(shape[0]), size_t(shape[1])};
    // The view may outlive the call: it keeps the model, and so the memory, alive.
    const nb::ndarray<nb::numpy, const float> rows(input.rows, 2, extents, trainer.model);
    nb::list degrees;
    for (int64_t view = 0; view < input.view_count; ++view) degrees.append(input.degrees[view]);
    const auto [value, gradient] =
        nb::cast<std::pair<double, Matrix>>(function(rows, nb::tuple(degrees)));
    require_shape("Term.function", "gradient", gradient, shape);
    gradients.push_back(gradient);
    return {value, gradient.data()};
  }
};

using Advance = decltype(&skd_trainer_step_with_terms);

/// The seven numbers of skd_losses, in its order.
nb::tuple advance(const char *function, Advance call, const Trainer &trainer,
                  const Images &images, const std::optional<Labels> &labels,
                  const std::vector<TermDescription> &descriptions) {
  const int64_t batch = int64_t(images.shape(0));
  require_shape(function, "images", images,
                nb::cast<const Model &>(trainer.model).images_shape(batch));
  require_shape(function, "labels", labels, {batch});
  skd_losses losses{};
  Terms terms{trainer, {}, nullptr};
  std::vector<Terms::Term> contexts;
  contexts.reserve(descriptions.size());
  std::vector<skd_term> list;
  for (const auto &[name, reads_embedding, weight, function] : descriptions) {
    contexts.push_back({terms, function});
    list.push_back({name.c_str(), reads_embedding ? SKD_TERM_EMBEDDING : SKD_TERM_LOGITS, weight,
                    &Terms::evaluate, &contexts.back()});
  }
  skd_status status;
  {
    nb::gil_scoped_release released;
    status = call(trainer.handle, images.data(), pointer(labels), batch, list.data(),
                  int64_t(list.size()), &losses);
  }
  if (terms.exception) std::rethrow_exception(terms.exception);
  if (status != SKD_OK) raise(status);
  return losses_tuple(losses);
}

nb::tuple step(const Trainer &trainer, const Images &images, const std::optional<Labels> &labels,
               const std::vector<TermDescription> &terms) {
  return advance("step", &skd_trainer_step_with_terms, trainer, images, labels, terms);
}

nb::tuple loss(const Trainer &trainer, const Images &images, const std::optional<Labels> &labels,
               const std::vector<TermDescription> &terms) {
  return advance("loss", &skd_trainer_loss_with_terms, trainer, images, labels, terms);
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

int64_t steps_taken(const Trainer &trainer) {
  int64_t step = 0;
  compute([&] { return skd_trainer_get_step(trainer.handle, &step); });
  return step;
}

int64_t step_memory(const Trainer &trainer, int64_t batch) {
  int64_t bytes = 0;
  compute([&] { return skd_trainer_step_memory(trainer.handle, batch, &bytes); });
  return bytes;
}

void require_memory(const Trainer &trainer, int64_t batch, int64_t further_bytes) {
  compute([&] { return skd_trainer_require_memory(trainer.handle, batch, further_bytes); });
}

void set_learning_rate(const Trainer &trainer, double learning_rate) {
  compute([&] { return skd_trainer_set_learning_rate(trainer.handle, learning_rate); });
}

double step_learning_rate(int64_t epoch, double base, double factor, const Labels &milestones) {
  double rate = 0;
  compute([&] {
    return skd_step_learning_rate(epoch, base, factor, milestones.data(),
                                  int64_t(milestones.shape(0)), &rate);
  });
  return rate;
}

double cosine_learning_rate(int64_t epoch, int64_t epochs, double base, double factor) {
  double rate = 0;
  compute([&] { return skd_cosine_learning_rate(epoch, epochs, base, factor, &rate); });
  return rate;
}

}  // namespace

void bind_trainer(nb::module_ &module) {
  module.attr("SUPERVISED") = int(SKD_SUPERVISED);
  module.attr("GEN0") = int(SKD_GEN0);
  module.attr("GEN1") = int(SKD_GEN1);
  module.attr("DISTILLED") = int(SKD_DISTILLED);
  nb::class_<Trainer>(module, "Trainer")
      .def("__init__", &create, "model"_a, "teacher"_a.none(), "objective"_a, "alpha"_a, "beta"_a,
           "temperature"_a, "twin_90"_a, "twin_180"_a, "twin_270"_a, "all_views"_a,
           "learning_rate"_a, "momentum"_a, "weight_decay"_a, "seed"_a)
      .def("step", &step, array("images"), optional_array("labels"), "terms"_a)
      .def("loss", &loss, array("images"), optional_array("labels"), "terms"_a)
      .def("gradients", &gradients)
      .def("last_losses", &last_losses)
      .def("velocities", &velocities)
      .def("load", &load, array("velocities"), "step"_a)
      .def_prop_ro("steps_taken", &steps_taken)
      .def("step_memory", &step_memory, "batch"_a)
      .def("require_memory", &require_memory, "batch"_a, "further_bytes"_a)
      .def("set_learning_rate", &set_learning_rate, "learning_rate"_a);
  module.def("step_learning_rate", &step_learning_rate, "epoch"_a, "base"_a, "factor"_a,
             array("milestones"));
  module.def("cosine_learning_rate", &cosine_learning_rate, "epoch"_a, "epochs"_a, "base"_a,
             "factor"_a);
}
