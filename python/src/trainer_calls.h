// Callbacks of Swift during a step: the terms of a loss, and the other processes of a batch.
#pragma once

#include <exception>
#include <memory>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "handles.h"

/// A trainer, with the Python object of its model for the views of gradients.
struct Trainer {
  skd_trainer *handle = nullptr;
  nb::object model;

  ~Trainer() { skd_trainer_free(handle); }
};

/// Name, whether it reads the embedding, weight, and the function of value and gradient.
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
    const Gil gil;
    try {
      std::tie(*value, *gradient) = term.terms.evaluate(term.function, *input);
      return 0;
    } catch (...) {
      term.terms.exception = std::current_exception();
      return 1;
    }
  }

  static const float *copied(const float *rows, size_t count) {
    auto copy = std::make_unique<float[]>(count);
    std::copy_n(rows, count, copy.get());
    return copy.release();
  }

  std::pair<double, const float *> evaluate(const nb::callable &function,
                                            const skd_term_input &input) {
    const Shape shape{input.view_count * input.batch, input.dimensions};
    const size_t extents[] = {size_t(shape[0]), size_t(shape[1])};
    // A copy, for the function may keep it, and the step reuses its memory.
    const float *copy = copied(input.rows, extents[0] * extents[1]);
    const nb::capsule owner(copy, [](void *rows) noexcept { delete[] static_cast<float *>(rows); });
    const nb::ndarray<nb::numpy, const float> rows(copy, 2, extents, owner);
    nb::list degrees;
    for (int64_t view = 0; view < input.view_count; ++view) degrees.append(input.degrees[view]);
    const auto [value, gradient] = nb::cast<std::pair<double, Matrix>>(
        call_python(function, nb::cast(rows), nb::tuple(degrees)));
    require_shape("Term.function", "gradient", gradient, shape);
    gradients.push_back(gradient);
    return {value, gradient.data()};
  }
};

/// Position of this part's first image, images of the whole batch, whether batch norms are shared, and
/// the functions that sum doubles, begin to sum gradients, and await these sums.
using ShareDescription =
    std::tuple<int64_t, int64_t, bool, nb::callable, nb::callable, nb::callable>;

/// The share of one call. An exception is kept here until Swift has returned.
struct Share {
  const Trainer &trainer;
  const ShareDescription &description;
  std::exception_ptr exception;

  skd_batch_share native() {
    const auto &[first, total, is_synced, sum_up, begin_sums, await_sums] = description;
    skd_batch_share share{};
    share.first = first;
    share.total = total;
    share.sync_batch_norm = is_synced;
    share.sum = &Share::sum;
    share.begin_gradients = &Share::begin;
    share.await_gradients = &Share::await;
    share.context = this;
    return share;
  }

  static int32_t sum(void *context, double *values, int64_t count) {
    return call(context, [&](Share &share) {
      call_python(std::get<3>(share.description), nb::cast(share.view(values, count)));
    });
  }

  static int32_t begin(void *context, float *gradients, int64_t count) {
    return call(context, [&](Share &share) {
      call_python(std::get<4>(share.description), nb::cast(share.view(gradients, count)));
    });
  }

  static int32_t await(void *context) {
    return call(context, [&](Share &share) { call_python(std::get<5>(share.description)); });
  }

private:
  /// Valid during the call only: the memory of doubles is freed after it.
  template <typename T> nb::ndarray<nb::numpy, T> view(T *values, int64_t count) const {
    const size_t extents[] = {size_t(count)};
    return nb::ndarray<nb::numpy, T>(values, 1, extents, trainer.model);
  }

  template <typename Body> static int32_t call(void *context, Body &&body) {
    Share &share = *static_cast<Share *>(context);
    const Gil gil;
    try {
      body(share);
      return 0;
    } catch (...) {
      share.exception = std::current_exception();
      return 1;
    }
  }
};
