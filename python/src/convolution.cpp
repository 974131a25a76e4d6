// Convolution and the linear map.
#include "arguments.h"

namespace {

/// The shape of a square convolution; refuses what would make its output shape meaningless.
skd_conv2d_shape convolution(const char *function, const Images &input, const Images &weight,
                             int64_t stride, int64_t padding) {
  const int64_t channels = int64_t(input.shape(3)), kernel = int64_t(weight.shape(2));
  require_shape(function, "weight", weight, {int64_t(weight.shape(0)), channels, kernel, kernel},
                "x");
  if (stride < 1) refuse(function, "stride", 1, 2, stride);
  if (padding < 0 || padding >= kernel) {
    refuse(function, "padding", 0, kernel - 1, padding);
  }
  skd_conv2d_shape shape{};
  shape.input = image_shape(shape_of(input));
  shape.output_channels = int64_t(weight.shape(0));
  shape.kernel_size = kernel;
  shape.stride = stride;
  shape.padding = padding;
  return shape;
}

Shape output_shape(const skd_conv2d_shape &shape) {
  const auto side = [&](int64_t extent) {
    return (extent + 2 * shape.padding - shape.kernel_size) / shape.stride + 1;
  };
  return {shape.input.batch, side(shape.input.height), side(shape.input.width),
          shape.output_channels};
}

void conv2d(const Images &input, const Images &weight, const std::optional<Vector> &bias,
            int64_t stride, int64_t padding, const ImagesOutput &output) {
  const auto shape = convolution("conv2d", input, weight, stride, padding);
  require_shape("conv2d", "bias", bias, {shape.output_channels}, "weight");
  require_shape("conv2d", "output", output, output_shape(shape));
  compute([&] {
    return skd_conv2d_forward(input.data(), weight.data(), pointer(bias), &shape, output.data());
  });
}

void conv2d_backward(const Images &input, const Images &weight, const Images &d_output,
                     int64_t stride, int64_t padding, const ImagesOutput &d_input,
                     const ImagesOutput &d_weight, const VectorOutput &d_bias) {
  const char *function = "conv2d_backward";
  const auto shape = convolution(function, input, weight, stride, padding);
  require_shape(function, "d_output", d_output, output_shape(shape),
                "x', 'weight', 'stride' and 'padding");
  require_shape(function, "d_input", d_input, shape_of(input));
  require_shape(function, "d_weight", d_weight, shape_of(weight));
  require_shape(function, "d_bias", d_bias, {shape.output_channels});
  compute([&] {
    return skd_conv2d_backward(input.data(), weight.data(), d_output.data(), &shape,
                               d_input.data(), d_weight.data(), d_bias.data());
  });
}

void linear(const Matrix &input, const Matrix &weight, const std::optional<Vector> &bias,
            const MatrixOutput &output) {
  const int64_t rows = int64_t(input.shape(0)), features = int64_t(input.shape(1));
  const int64_t outputs = int64_t(weight.shape(0));
  require_shape("linear", "weight", weight, {outputs, features}, "x");
  require_shape("linear", "bias", bias, {outputs}, "weight");
  require_shape("linear", "output", output, {rows, outputs});
  compute([&] {
    return skd_linear_forward(input.data(), weight.data(), pointer(bias), rows, features, outputs,
                              output.data());
  });
}

void linear_backward(const Matrix &input, const Matrix &weight, const Matrix &d_output,
                     const MatrixOutput &d_input, const MatrixOutput &d_weight,
                     const VectorOutput &d_bias) {
  const char *function = "linear_backward";
  const int64_t rows = int64_t(input.shape(0)), features = int64_t(input.shape(1));
  const int64_t outputs = int64_t(weight.shape(0));
  require_shape(function, "weight", weight, {outputs, features}, "x");
  require_shape(function, "d_output", d_output, {rows, outputs}, "x' and 'weight");
  require_shape(function, "d_input", d_input, {rows, features});
  require_shape(function, "d_weight", d_weight, {outputs, features});
  require_shape(function, "d_bias", d_bias, {outputs});
  compute([&] {
    return skd_linear_backward(input.data(), weight.data(), d_output.data(), rows, features,
                               outputs, d_input.data(), d_weight.data(), d_bias.data());
  });
}

}  // namespace

void bind_convolution(nb::module_ &module) {
  module.def("conv2d", &conv2d, array("input"), array("weight"), optional_array("bias"),
             "stride"_a, "padding"_a, array("output"));
  module.def("conv2d_backward", &conv2d_backward, array("input"), array("weight"),
             array("d_output"), "stride"_a, "padding"_a, array("d_input"), array("d_weight"),
             array("d_bias"));
  module.def("linear", &linear, array("input"), array("weight"), optional_array("bias"),
             array("output"));
  module.def("linear_backward", &linear_backward, array("input"), array("weight"),
             array("d_output"), array("d_input"), array("d_weight"), array("d_bias"));
}
