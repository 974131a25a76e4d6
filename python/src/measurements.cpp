// The peak of the machine, and how long convolutions take.
#include "arguments.h"

namespace {

using Seconds = Output<double, nb::ndim<1>>;

skd_conv2d_shape convolution(int64_t batch, int64_t height, int64_t width, int64_t channels,
                             int64_t output_channels, int64_t kernel_size, int64_t stride,
                             int64_t padding) {
  skd_conv2d_shape shape{};
  shape.input = image_shape({batch, height, width, channels});
  shape.output_channels = output_channels;
  shape.kernel_size = kernel_size;
  shape.stride = stride;
  shape.padding = padding;
  return shape;
}

double peak_gflops(int64_t threads) {
  double gflops = 0;
  compute([&] { return skd_peak_gflops(threads, &gflops); });
  return gflops;
}

int32_t conv2d_algorithm(int64_t batch, int64_t height, int64_t width, int64_t channels,
                         int64_t output_channels, int64_t kernel_size, int64_t stride,
                         int64_t padding, int32_t computation) {
  const auto shape = convolution(batch, height, width, channels, output_channels, kernel_size,
                                 stride, padding);
  int32_t algorithm = 0;
  compute([&] { return skd_conv2d_algorithm(&shape, computation, &algorithm); });
  return algorithm;
}

void time_conv2d(int64_t batch, int64_t height, int64_t width, int64_t channels,
                 int64_t output_channels, int64_t kernel_size, int64_t stride, int64_t padding,
                 int32_t computation, int32_t algorithm, const Seconds &pack_seconds,
                 const Seconds &seconds) {
  require_shape("time_conv2d", "pack_seconds", pack_seconds, shape_of(seconds));
  const auto shape = convolution(batch, height, width, channels, output_channels, kernel_size,
                                 stride, padding);
  compute([&] {
    return skd_conv2d_time(&shape, computation, algorithm, int64_t(seconds.size()),
                           pack_seconds.data(), seconds.data());
  });
}

}  // namespace

void bind_measurements(nb::module_ &module) {
  module.attr("CONV2D_AUTOMATIC") = int(SKD_CONV2D_AUTOMATIC);
  module.attr("CONV2D_WINOGRAD") = int(SKD_CONV2D_WINOGRAD);
  module.attr("CONV2D_GEMM") = int(SKD_CONV2D_GEMM);
  module.attr("CONV2D_WINOGRAD_BFLOAT16") = int(SKD_CONV2D_WINOGRAD_BFLOAT16);
  module.attr("CONV2D_FORWARD") = int(SKD_CONV2D_FORWARD);
  module.attr("CONV2D_INPUT_GRADIENT") = int(SKD_CONV2D_INPUT_GRADIENT);
  module.attr("CONV2D_WEIGHT_GRADIENT") = int(SKD_CONV2D_WEIGHT_GRADIENT);
  module.attr("CONV2D_EVALUATION") = int(SKD_CONV2D_EVALUATION);
  module.def("peak_gflops", &peak_gflops, "threads"_a);
  module.def("conv2d_algorithm", &conv2d_algorithm, "batch"_a, "height"_a, "width"_a,
             "channels"_a, "output_channels"_a, "kernel_size"_a, "stride"_a, "padding"_a,
             "computation"_a);
  module.def("time_conv2d", &time_conv2d, "batch"_a, "height"_a, "width"_a, "channels"_a,
             "output_channels"_a, "kernel_size"_a, "stride"_a, "padding"_a, "computation"_a,
             "algorithm"_a, array("pack_seconds"), array("seconds"));
}
