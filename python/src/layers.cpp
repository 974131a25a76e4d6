// Batch normalisation, dropout, DropBlock, and squeeze and excitation.
#include "arguments.h"

namespace {

/// `input` as [rows, channels], which is all that batch normalisation sees of NHWC.
struct Rows {
  int64_t rows, channels;

  explicit Rows(const Images &input)
      : rows(int64_t(input.shape(0) * input.shape(1) * input.shape(2))),
        channels(int64_t(input.shape(3))) {}
};

void batch_norm2d_train(const Images &input, const Vector &weight, const Vector &bias, float eps,
                        float momentum, const VectorOutput &running_mean,
                        const VectorOutput &running_var, const ImagesOutput &output,
                        const VectorOutput &mean, const VectorOutput &inverse_std) {
  const char *function = "batch_norm2d";
  const Rows size(input);
  require_shape(function, "weight", weight, {size.channels}, "x");
  require_shape(function, "bias", bias, {size.channels}, "x");
  require_shape(function, "running_mean", running_mean, {size.channels}, "x");
  require_shape(function, "running_var", running_var, {size.channels}, "x");
  require_shape(function, "output", output, shape_of(input));
  require_shape(function, "mean", mean, {size.channels});
  require_shape(function, "inverse_std", inverse_std, {size.channels});
  compute([&] {
    return skd_batch_norm_forward_train(input.data(), size.rows, size.channels, weight.data(),
                                        bias.data(), eps, momentum, running_mean.data(),
                                        running_var.data(), output.data(), mean.data(),
                                        inverse_std.data());
  });
}

void batch_norm2d_eval(const Images &input, const Vector &weight, const Vector &bias, float eps,
                       const Vector &running_mean, const Vector &running_var,
                       const ImagesOutput &output) {
  const char *function = "batch_norm2d";
  const Rows size(input);
  require_shape(function, "weight", weight, {size.channels}, "x");
  require_shape(function, "bias", bias, {size.channels}, "x");
  require_shape(function, "running_mean", running_mean, {size.channels}, "x");
  require_shape(function, "running_var", running_var, {size.channels}, "x");
  require_shape(function, "output", output, shape_of(input));
  compute([&] {
    return skd_batch_norm_forward_eval(input.data(), size.rows, size.channels, weight.data(),
                                       bias.data(), eps, running_mean.data(), running_var.data(),
                                       output.data());
  });
}

void batch_norm2d_backward(const Images &input, const Images &d_output, const Vector &weight,
                           const Vector &mean, const Vector &inverse_std, bool training,
                           const ImagesOutput &d_input, const VectorOutput &d_weight,
                           const VectorOutput &d_bias) {
  const char *function = "batch_norm2d_backward";
  const Rows size(input);
  require_shape(function, "d_output", d_output, shape_of(input), "x");
  require_shape(function, "weight", weight, {size.channels}, "x");
  require_shape(function, "mean", mean, {size.channels}, "x");
  require_shape(function, "inverse_std", inverse_std, {size.channels}, "x");
  require_shape(function, "d_input", d_input, shape_of(input));
  require_shape(function, "d_weight", d_weight, {size.channels});
  require_shape(function, "d_bias", d_bias, {size.channels});
  compute([&] {
    return skd_batch_norm_backward(input.data(), d_output.data(), size.rows, size.channels,
                                   weight.data(), mean.data(), inverse_std.data(), training,
                                   d_input.data(), d_weight.data(), d_bias.data());
  });
}

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

void squeeze_excitation(const Images &input, const Matrix &weight1, const Vector &bias1,
                        const Matrix &weight2, const Vector &bias2, const ImagesOutput &output) {
  const char *function = "squeeze_excitation";
  const auto shape = image_shape(shape_of(input));
  const int64_t hidden = int64_t(weight1.shape(0));
  require_shape(function, "weight1", weight1, {hidden, shape.channels}, "x");
  require_shape(function, "bias1", bias1, {hidden}, "weight1");
  require_shape(function, "weight2", weight2, {shape.channels, hidden}, "x' and 'weight1");
  require_shape(function, "bias2", bias2, {shape.channels}, "x");
  require_shape(function, "output", output, shape_of(input));
  compute([&] {
    return skd_squeeze_excitation_forward(input.data(), &shape, hidden, weight1.data(),
                                          bias1.data(), weight2.data(), bias2.data(),
                                          output.data());
  });
}

void squeeze_excitation_backward(const Images &input, const Matrix &weight1, const Vector &bias1,
                                 const Matrix &weight2, const Vector &bias2,
                                 const Images &d_output, const ImagesOutput &d_input,
                                 const MatrixOutput &d_weight1, const VectorOutput &d_bias1,
                                 const MatrixOutput &d_weight2, const VectorOutput &d_bias2) {
  const char *function = "squeeze_excitation_backward";
  const auto shape = image_shape(shape_of(input));
  const int64_t hidden = int64_t(weight1.shape(0));
  require_shape(function, "weight1", weight1, {hidden, shape.channels}, "x");
  require_shape(function, "bias1", bias1, {hidden}, "weight1");
  require_shape(function, "weight2", weight2, {shape.channels, hidden}, "x' and 'weight1");
  require_shape(function, "bias2", bias2, {shape.channels}, "x");
  require_shape(function, "d_output", d_output, shape_of(input), "x");
  require_shape(function, "d_input", d_input, shape_of(input));
  require_shape(function, "d_weight1", d_weight1, shape_of(weight1));
  require_shape(function, "d_bias1", d_bias1, shape_of(bias1));
  require_shape(function, "d_weight2", d_weight2, shape_of(weight2));
  require_shape(function, "d_bias2", d_bias2, shape_of(bias2));
  compute([&] {
    return skd_squeeze_excitation_backward(
        input.data(), d_output.data(), &shape, hidden, weight1.data(), bias1.data(),
        weight2.data(), bias2.data(), d_input.data(), d_weight1.data(), d_bias1.data(),
        d_weight2.data(), d_bias2.data());
  });
}

}  // namespace

void bind_layers(nb::module_ &module) {
  module.def("batch_norm2d_train", &batch_norm2d_train, array("input"), array("weight"),
             array("bias"), "eps"_a, "momentum"_a, array("running_mean"), array("running_var"),
             array("output"), array("mean"), array("inverse_std"));
  module.def("batch_norm2d_eval", &batch_norm2d_eval, array("input"), array("weight"),
             array("bias"), "eps"_a, array("running_mean"), array("running_var"),
             array("output"));
  module.def("batch_norm2d_backward", &batch_norm2d_backward, array("input"), array("d_output"),
             array("weight"), array("mean"), array("inverse_std"), "training"_a,
             array("d_input"), array("d_weight"), array("d_bias"));
  module.def("dropout_mask", &dropout_mask, "rate"_a, "seed"_a, "step"_a, array("kept"));
  module.def("dropout", &dropout, array("input"), array("kept"), "rate"_a, array("output"));
  module.def("drop_block_gamma", &drop_block_gamma, "rate"_a, "block_size"_a, "side"_a, "step"_a);
  module.def("drop_block_corners", &drop_block_corners, "block_size"_a, "gamma"_a, "seed"_a,
             "step"_a, array("corners"));
  module.def("drop_block", &drop_block, array("input"), array("corners"), "block_size"_a,
             array("output"));
  module.def("squeeze_excitation", &squeeze_excitation, array("input"), array("weight1"),
             array("bias1"), array("weight2"), array("bias2"), array("output"));
  module.def("squeeze_excitation_backward", &squeeze_excitation_backward, array("input"),
             array("weight1"), array("bias1"), array("weight2"), array("bias2"),
             array("d_output"), array("d_input"), array("d_weight1"), array("d_bias1"),
             array("d_weight2"), array("d_bias2"));
}
