// The Python objects that own a Swift handle.
#pragma once

#include "arguments.h"

/// A model. Views of its state hold a reference to it, so they outlive no memory.
struct Model {
  skd_model *handle = nullptr;
  skd_model_info info{};

  /// Takes over `handle`.
  explicit Model(skd_model *handle);
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  ~Model() { skd_model_free(handle); }

  skd_state_entry entry(int64_t index) const;

  /// Shape that a batch of images must have.
  Shape images_shape(int64_t batch) const {
    return {batch, info.image_size, info.image_size, info.input_channels};
  }
};

/// A read-only NumPy view of Swift memory that keeps `owner` alive.
inline nb::object view(const void *data, const skd_state_entry &entry, nb::handle owner) {
  size_t shape[4];
  for (int axis = 0; axis < entry.dimensions; ++axis) shape[axis] = size_t(entry.shape[axis]);
  const auto type = entry.kind == SKD_COUNTER ? nb::dtype<int64_t>() : nb::dtype<float>();
  return nb::cast(nb::ndarray<nb::numpy, nb::ro>(data, size_t(entry.dimensions), shape, owner,
                                                 entry.strides, type));
}
