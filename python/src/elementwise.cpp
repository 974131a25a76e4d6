// LeakyReLU, rotation of images, and the SGD step.
#include "arguments.h"

namespace {

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

void bind_elementwise(nb::module_ &module) {
  module.def("leaky_relu", &leaky_relu, array("input"), "slope"_a, array("output"));
  module.def("leaky_relu_backward", &leaky_relu_backward, array("input"), array("d_output"),
             "slope"_a, array("d_input"));
  module.def("rotate", &rotate, array("images"), "quarter_turns"_a, array("output"));
  module.def("sgd_step", &sgd_step, array("parameter"), array("d_parameter"), array("velocity"),
             "learning_rate"_a, "momentum"_a, "weight_decay"_a, "first_step"_a);
}
