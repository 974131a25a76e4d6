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

/// Keeps a model, or those of a trainer, for the calls of this thread within a `with` statement. It
/// is a class of its own, because no signal comes between C++ and the statement.
template <typename Handle> struct Lock {
  nb::object owner;
  Handle *handle;
  skd_status (*lock)(Handle *);
  void (*unlock)(Handle *);

  void enter() const {
    compute([&] { return lock(handle); });
  }

  void exit(nb::handle, nb::handle, nb::handle) const { unlock(handle); }
};

template <typename Handle> void bind_lock(nb::module_ &module, const char *name) {
  nb::class_<Lock<Handle>>(module, name)
      .def("__enter__", &Lock<Handle>::enter)
      .def("__exit__", &Lock<Handle>::exit, "kind"_a.none(), "error"_a.none(),
           "traceback"_a.none());
}

/// A read-only NumPy view of Swift memory that keeps `owner` alive.
inline nb::object view(const void *data, const skd_state_entry &entry, nb::handle owner) {
  size_t shape[4];
  for (int axis = 0; axis < entry.dimensions; ++axis) shape[axis] = size_t(entry.shape[axis]);
  const auto type = entry.kind == SKD_COUNTER ? nb::dtype<int64_t>() : nb::dtype<float>();
  return nb::cast(nb::ndarray<nb::numpy, nb::ro>(data, size_t(entry.dimensions), shape, owner,
                                                 entry.strides, type));
}
