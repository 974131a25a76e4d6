// Augmentation of uint8 images, and the order of an epoch.
#include "arguments.h"

namespace {

/// Choices cross the boundary as rows of bytes: the dtype `skd.augmentation.CHOICES` has the
/// layout of the C struct.
using Choices = Input<uint8_t, nb::ndim<2>>;
using ChoicesOutput = Output<uint8_t, nb::ndim<2>>;
constexpr int64_t choicesSize = 36;
static_assert(sizeof(skd_augmentation_choices) == choicesSize && sizeof(float) == 4);

void require_aligned(const char *function, const void *choices) {
  if (reinterpret_cast<uintptr_t>(choices) % alignof(skd_augmentation_choices) != 0) {
    refuse(function, "choices", "be aligned in memory", "an odd address");
  }
}

/// Refuses images that are not square; returns their side.
int64_t square_side(const char *function, const ByteImages &images) {
  const Shape shape = shape_of(images);
  require_shape(function, "images", images, {shape[0], shape[1], shape[1], shape[3]});
  return shape[1];
}

void apply_augmentation(const ByteImages &images, const Choices &choices, int64_t padding,
                        const Output<uint8_t, nb::ndim<4>> &output) {
  const char *function = "apply_augmentation";
  const int64_t side = square_side(function, images), batch = int64_t(images.shape(0));
  require_shape(function, "choices", choices, {batch, choicesSize});
  require_aligned(function, choices.data());
  require_shape(function, "output", output, shape_of(images));
  compute([&] {
    return skd_apply_augmentation(
        images.data(), batch, side, int64_t(images.shape(3)), padding,
        reinterpret_cast<const skd_augmentation_choices *>(choices.data()), output.data());
  });
}

/// Draws the choices of images 0, 1, 2, ...
void draw_augmentation(int32_t mode, int64_t padding, bool flip, uint64_t seed, int64_t epoch,
                       const ChoicesOutput &choices) {
  require_shape("draw_augmentation", "choices", choices,
                {int64_t(choices.shape(0)), choicesSize});
  require_aligned("draw_augmentation", choices.data());
  auto *drawn = reinterpret_cast<skd_augmentation_choices *>(choices.data());
  compute([&] {
    skd_status status = SKD_OK;
    for (int64_t i = 0; i < int64_t(choices.shape(0)) && status == SKD_OK; ++i) {
      status = skd_draw_augmentation(mode, padding, flip, seed, epoch, i, 0, &drawn[i]);
    }
    return status;
  });
}

void augment(const ByteImages &images, const std::optional<Labels> &indices,
             const std::optional<Labels> &streams, int32_t mode, int64_t padding, bool flip,
             uint64_t seed, int64_t epoch, bool support, const Vector &mean, const Vector &std,
             const ImagesOutput &output) {
  const char *function = "augment";
  const int64_t side = square_side(function, images);
  const int64_t count = int64_t(images.shape(0)), channels = int64_t(images.shape(3));
  const int64_t batch = indices ? int64_t(indices->shape(0)) : count;
  require_shape(function, "streams", streams, {batch});
  require_shape(function, "mean", mean, {channels});
  require_shape(function, "std", std, {channels});
  const int64_t output_side = int64_t(output.shape(1));
  require_shape(function, "output", output, {batch, output_side, output_side, channels});
  compute([&] {
    return skd_augment(images.data(), count, side, channels, pointer(indices), pointer(streams),
                       batch, mode, padding, flip, seed, epoch, support, mean.data(), std.data(),
                       output_side, output.data());
  });
}

void shuffle(uint64_t seed, int64_t epoch, const Output<int64_t, nb::ndim<1>> &permutation) {
  compute([&] {
    return skd_shuffle(int64_t(permutation.shape(0)), seed, epoch, permutation.data());
  });
}

}  // namespace

void bind_augmentation(nb::module_ &module) {
  module.attr("AUGMENT_NONE") = int(SKD_AUGMENT_NONE);
  module.attr("AUGMENT_CROP_FLIP") = int(SKD_AUGMENT_CROP_FLIP);
  module.attr("AUGMENT_FULL") = int(SKD_AUGMENT_FULL);
  module.def("apply_augmentation", &apply_augmentation, array("images"), array("choices"),
             "padding"_a, array("output"));
  module.def("draw_augmentation", &draw_augmentation, "mode"_a, "padding"_a, "flip"_a, "seed"_a,
             "epoch"_a, array("choices"));
  module.def("augment", &augment, array("images"), optional_array("indices"),
             optional_array("streams"), "mode"_a, "padding"_a, "flip"_a, "seed"_a, "epoch"_a,
             "support"_a, array("mean"), array("std"), array("output"));
  module.def("shuffle", &shuffle, "seed"_a, "epoch"_a, array("permutation"));
}
