// Squeeze and excitation.
#include "arguments.h"

namespace {

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

void bind_squeeze_excitation(nb::module_ &module) {
  module.def("squeeze_excitation", &squeeze_excitation, array("input"), array("weight1"),
             array("bias1"), array("weight2"), array("bias2"), array("output"));
  module.def("squeeze_excitation_backward", &squeeze_excitation_backward, array("input"),
             array("weight1"), array("bias1"), array("weight2"), array("bias2"),
             array("d_output"), array("d_input"), array("d_weight1"), array("d_bias1"),
             array("d_weight2"), array("d_bias2"));
}
