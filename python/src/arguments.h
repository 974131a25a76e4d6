// Shared by all files of the binding: array types, shape checks, and the call into Swift.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <skd.h>

#include "errors.h"
#include "gil.h"

using namespace nb::literals;

/// C-contiguous arrays in main memory. A dtype that differs is refused, never converted, because
/// every parameter is declared with `array`.
template <typename T, typename... Options>
using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu, Options...>;
template <typename T, typename... Options>
using Output = nb::ndarray<T, nb::c_contig, nb::device::cpu, Options...>;

using Vector = Input<float, nb::ndim<1>>;
using Matrix = Input<float, nb::ndim<2>>;
using Images = Input<float, nb::ndim<4>>;
using ByteImages = Input<uint8_t, nb::ndim<4>>;
using Labels = Input<int64_t, nb::ndim<1>>;
using VectorOutput = Output<float, nb::ndim<1>>;
using MatrixOutput = Output<float, nb::ndim<2>>;
using ImagesOutput = Output<float, nb::ndim<4>>;
using IndexOutput = Output<int64_t>;

/// Declares an array parameter that is taken as it is.
inline auto array(const char *name) { return nb::arg(name).noconvert(); }

/// Declares an array parameter that may be None.
inline auto optional_array(const char *name) { return nb::arg(name).noconvert().none(); }

template <typename Array> auto pointer(const std::optional<Array> &array) {
  return array ? array->data() : nullptr;
}

using Shape = std::vector<int64_t>;

template <typename Array> Shape shape_of(const Array &array) {
  Shape shape;
  for (size_t axis = 0; axis < array.ndim(); ++axis) shape.push_back(int64_t(array.shape(axis)));
  return shape;
}

inline std::string text(const Shape &shape) {
  std::string text = "(";
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    text += (axis ? ", " : "") + std::to_string(shape[axis]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// Refuses an array of another shape: this is what keeps Swift inside the caller's buffers. `by` is
/// the argument that decides the shape, where the caller may have mixed up either.
template <typename Array>
void require_shape(const char *function, const char *name, const Array &array,
                   const Shape &expected, const char *by = nullptr) {
  if (shape_of(array) != expected) {
    const std::string reason = by ? std::string(" for this '") + by + "'" : "";
    refuse(function, name, "be of shape " + text(expected) + reason, text(shape_of(array)));
  }
}

template <typename Array>
void require_shape(const char *function, const char *name, const std::optional<Array> &array,
                   const Shape &expected, const char *by = nullptr) {
  if (array) require_shape(function, name, *array, expected, by);
}

inline skd_image_shape image_shape(const Shape &shape) {
  skd_image_shape extent{};
  extent.batch = shape[0];
  extent.height = shape[1];
  extent.width = shape[2];
  extent.channels = shape[3];
  return extent;
}

/// Calls Swift with the GIL released, and raises if the call failed.
template <typename Call> void compute(Call &&call) {
  const skd_status status = without_gil(call);
  if (status != SKD_OK) raise(status);
}

void bind_convolution(nb::module_ &module);
void bind_normalization(nb::module_ &module);
void bind_pooling(nb::module_ &module);
void bind_regularization(nb::module_ &module);
void bind_squeeze_excitation(nb::module_ &module);
void bind_elementwise(nb::module_ &module);
void bind_losses(nb::module_ &module);
void bind_schedules(nb::module_ &module);
void bind_augmentation(nb::module_ &module);
void bind_episodes(nb::module_ &module);
void bind_few_shot(nb::module_ &module);
void bind_heads(nb::module_ &module);
void bind_open_set(nb::module_ &module);
void bind_calibration(nb::module_ &module);
void bind_model(nb::module_ &module);
void bind_trainer(nb::module_ &module);
void bind_measurements(nb::module_ &module);
