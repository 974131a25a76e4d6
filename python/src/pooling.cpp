// Pooling.
#include "arguments.h"

namespace {

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

}  // namespace

void bind_pooling(nb::module_ &module) {
  module.def("max_pool2d", &max_pool2d, array("input"), array("output"));
  module.def("max_pool2d_backward", &max_pool2d_backward, array("input"), array("d_output"),
             array("d_input"));
  module.def("global_average_pool", &global_average_pool, array("input"), array("output"));
  module.def("global_average_pool_backward", &global_average_pool_backward, array("d_output"),
             array("d_input"));
}
