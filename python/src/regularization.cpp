// Dropout and DropBlock.
#include "arguments.h"

namespace {

void dropout_mask(float rate, uint64_t seed, int64_t step, const Output<uint8_t> &kept) {
  compute([&] {
    return skd_dropout_mask(int64_t(kept.size()), rate, seed, step, kept.data());
  });
}

void dropout(const Input<float> &input, const Input<uint8_t> &kept, float rate,
             const Output<float> &output) {
  require_shape("dropout", "kept", kept, shape_of(input));
  require_shape("dropout", "output", output, shape_of(input));
  compute([&] {
    return skd_dropout_apply(input.data(), kept.data(), int64_t(input.size()), rate,
                             output.data());
  });
}

double drop_block_gamma(double rate, int64_t block_size, int64_t side, int64_t step) {
  double gamma = 0;
  compute([&] { return skd_drop_block_gamma(rate, block_size, side, step, &gamma); });
  return gamma;
}

/// Draws corners for images that are `block_size` - 1 larger on each side than `corners`.
void drop_block_corners(int64_t block_size, double gamma, uint64_t seed, int64_t step,
                        const Output<uint8_t, nb::ndim<4>> &corners) {
  if (block_size < 1 || block_size > 4096) {
    refuse("drop_block_corners", "block_size", 1, 4096, block_size);
  }
  skd_image_shape shape = image_shape(shape_of(corners));
  shape.height += block_size - 1;
  shape.width += block_size - 1;
  compute([&] {
    return skd_drop_block_corners(&shape, block_size, gamma, seed, step, corners.data());
  });
}

/// Shape of the corners of images; refuses blocks that do not fit.
Shape corner_shape(const skd_image_shape &shape, int64_t block_size) {
  const int64_t side = std::min(shape.height, shape.width);
  if (block_size < 1 || block_size > side) {
    refuse("drop_block", "block_size", 1, side, block_size);
  }
  return {shape.batch, shape.height - block_size + 1, shape.width - block_size + 1,
          shape.channels};
}

float drop_block(const Images &input, const ByteImages &corners, int64_t block_size,
                 const ImagesOutput &output) {
  const auto shape = image_shape(shape_of(input));
  require_shape("drop_block", "corners", corners, corner_shape(shape, block_size));
  require_shape("drop_block", "output", output, shape_of(input));
  float scale = 0;
  compute([&] {
    return skd_drop_block_apply(input.data(), corners.data(), &shape, block_size, output.data(),
                                &scale);
  });
  return scale;
}

}  // namespace

void bind_regularization(nb::module_ &module) {
  module.def("dropout_mask", &dropout_mask, "rate"_a, "seed"_a, "step"_a, array("kept"));
  module.def("dropout", &dropout, array("input"), array("kept"), "rate"_a, array("output"));
  module.def("drop_block_gamma", &drop_block_gamma, "rate"_a, "block_size"_a, "side"_a, "step"_a);
  module.def("drop_block_corners", &drop_block_corners, "block_size"_a, "gamma"_a, "seed"_a,
             "step"_a, array("corners"));
  module.def("drop_block", &drop_block, array("input"), array("corners"), "block_size"_a,
             array("output"));
}
