// Batch normalisation.
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

}  // namespace

void bind_normalization(nb::module_ &module) {
  module.def("batch_norm2d_train", &batch_norm2d_train, array("input"), array("weight"),
             array("bias"), "eps"_a, "momentum"_a, array("running_mean"), array("running_var"),
             array("output"), array("mean"), array("inverse_std"));
  module.def("batch_norm2d_eval", &batch_norm2d_eval, array("input"), array("weight"),
             array("bias"), "eps"_a, array("running_mean"), array("running_var"),
             array("output"));
  module.def("batch_norm2d_backward", &batch_norm2d_backward, array("input"), array("d_output"),
             array("weight"), array("mean"), array("inverse_std"), "training"_a,
             array("d_input"), array("d_weight"), array("d_bias"));
}
