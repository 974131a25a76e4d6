// Convolution, linear map, pooling, activation, rotation and the SGD step.
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
  return {image_shape(shape_of(input)), int64_t(weight.shape(0)), kernel, stride, padding};
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

Shape pooled_shape(const Images &input) {
  const Shape shape = shape_of(input);
  return {shape[0], shape[1] / 2, shape[2] / 2, shape[3]};
}

void max_pool2d(const Images &input, const ImagesOutput &output) {
  require_shape("max_pool2d", "output", output, pooled_shape(input));
  const auto shape = image_shape(shape_of(input));
  compute([&] { return skd_max_pool2d_forward(input.data(), &shape, output.data()); });
}

void max_pool2d_backward(const Images &input, const Images &d_output,
                         const ImagesOutput &d_input) {
  require_shape("max_pool2d_backward", "d_output", d_output, pooled_shape(input), "x");
  require_shape("max_pool2d_backward", "d_input", d_input, shape_of(input));
  const auto shape = image_shape(shape_of(input));
  compute([&] {
    return skd_max_pool2d_backward(input.data(), d_output.data(), &shape, d_input.data());
  });
}

void global_average_pool(const Images &input, const MatrixOutput &output) {
  const auto shape = image_shape(shape_of(input));
  require_shape("global_average_pool", "output", output, {shape.batch, shape.channels});
  compute([&] { return skd_global_average_pool_forward(input.data(), &shape, output.data()); });
}

void global_average_pool_backward(const Matrix &d_output, const ImagesOutput &d_input) {
  const auto shape = image_shape(shape_of(d_input));
  require_shape("global_average_pool_backward", "d_output", d_output,
                {shape.batch, shape.channels});
  compute([&] { return skd_global_average_pool_backward(d_output.data(), &shape, d_input.data()); });
}

void leaky_relu(const Input<float> &input, float slope, const Output<float> &output) {
  require_shape("leaky_relu", "output", output, shape_of(input));
  compute([&] {
    return skd_leaky_relu_forward(input.data(), int64_t(input.size()), slope, output.data());
  });
}

void leaky_relu_backward(const Input<float> &input, const Input<float> &d_output, float slope,
                         const Output<float> &d_input) {
  require_shape("leaky_relu_backward", "d_output", d_output, shape_of(input), "x");
  require_shape("leaky_relu_backward", "d_input", d_input, shape_of(input));
  compute([&] {
    return skd_leaky_relu_backward(input.data(), d_output.data(), int64_t(input.size()), slope,
                                   d_input.data());
  });
}

void rotate(const Images &images, int32_t quarter_turns, const ImagesOutput &output) {
  const Shape shape = shape_of(images);
  require_shape("rotate", "images", images, {shape[0], shape[1], shape[1], shape[3]});
  require_shape("rotate", "output", output, shape);
  compute([&] {
    return skd_rotate_images(images.data(), shape[0], shape[3], shape[1], quarter_turns,
                             output.data());
  });
}

void sgd_step(const Output<float> &parameter, const Input<float> &d_parameter,
              const Output<float> &velocity, float learning_rate, float momentum,
              float weight_decay, bool first_step) {
  require_shape("sgd_step", "d_parameter", d_parameter, shape_of(parameter), "parameter");
  require_shape("sgd_step", "velocity", velocity, shape_of(parameter), "parameter");
  compute([&] {
    return skd_sgd_step(parameter.data(), d_parameter.data(), velocity.data(),
                        int64_t(parameter.size()), learning_rate, momentum, weight_decay,
                        first_step);
  });
}

}  // namespace

void bind_operations(nb::module_ &module) {
  module.def("conv2d", &conv2d, array("input"), array("weight"), optional_array("bias"),
             "stride"_a, "padding"_a, array("output"));
  module.def("conv2d_backward", &conv2d_backward, array("input"), array("weight"),
             array("d_output"), "stride"_a, "padding"_a, array("d_input"), array("d_weight"),
             array("d_bias"));
  module.def("linear", &linear, array("input"), array("weight"), optional_array("bias"),
             array("output"));
  module.def("linear_backward", &linear_backward, array("input"), array("weight"),
             array("d_output"), array("d_input"), array("d_weight"), array("d_bias"));
  module.def("max_pool2d", &max_pool2d, array("input"), array("output"));
  module.def("max_pool2d_backward", &max_pool2d_backward, array("input"), array("d_output"),
             array("d_input"));
  module.def("global_average_pool", &global_average_pool, array("input"), array("output"));
  module.def("global_average_pool_backward", &global_average_pool_backward, array("d_output"),
             array("d_input"));
  module.def("leaky_relu", &leaky_relu, array("input"), "slope"_a, array("output"));
  module.def("leaky_relu_backward", &leaky_relu_backward, array("input"), array("d_output"),
             "slope"_a, array("d_input"));
  module.def("rotate", &rotate, array("images"), "quarter_turns"_a, array("output"));
  module.def("sgd_step", &sgd_step, array("parameter"), array("d_parameter"), array("velocity"),
             "learning_rate"_a, "momentum"_a, "weight_decay"_a, "first_step"_a);
}
