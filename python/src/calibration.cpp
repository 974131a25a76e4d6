// Calibration of probabilities, and rejection of unknown classes.
#include "arguments.h"

namespace {

/// The support set of a fit, whose shapes are checked against each other.
skd_support_examples examples(const char *function, const Matrix &features, const Labels &labels,
                              const Labels &rows_of, int64_t classes, const Matrix &plain) {
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t count = int64_t(plain.shape(0));
  require_shape(function, "labels", labels, {rows});
  require_shape(function, "examples", rows_of, {rows});
  require_shape(function, "plain", plain, {count, dimensions});
  skd_support_examples support{};
  support.features = features.data();
  support.labels = labels.data();
  support.examples = rows_of.data();
  support.rows = rows;
  support.dimensions = dimensions;
  support.classes = classes;
  support.plain = plain.data();
  support.count = count;
  return support;
}

double calibrate_temperature(const skd_classifier_options &classifier, const Matrix &features,
                             const Labels &labels, const Labels &rows_of, int64_t classes,
                             const Matrix &plain, double prior, double strength) {
  const auto support =
      examples("calibrate_temperature", features, labels, rows_of, classes, plain);
  double temperature = 0;
  compute([&] {
    return skd_calibrate_temperature(&classifier, &support, prior, strength, &temperature);
  });
  return temperature;
}

double rejection_threshold(const Matrix &features, const Labels &labels, const Labels &rows_of,
                           int64_t classes, const Matrix &plain, double known_rate) {
  const auto support =
      examples("rejection_threshold", features, labels, rows_of, classes, plain);
  double threshold = 0;
  compute([&] { return skd_rejection_threshold(&support, known_rate, &threshold); });
  return threshold;
}

double calibration_bins(const Input<double, nb::ndim<1>> &confidences,
                        const Input<uint8_t, nb::ndim<1>> &is_correct,
                        const Output<int64_t, nb::ndim<1>> &counts,
                        const Output<double, nb::ndim<1>> &mean_confidences,
                        const Output<double, nb::ndim<1>> &accuracies) {
  const char *function = "calibration_bins";
  const int64_t count = int64_t(confidences.shape(0)), bins = int64_t(counts.shape(0));
  require_shape(function, "is_correct", is_correct, {count});
  require_shape(function, "mean_confidences", mean_confidences, {bins});
  require_shape(function, "accuracies", accuracies, {bins});
  double error = 0;
  compute([&] {
    return skd_calibration_bins(confidences.data(), is_correct.data(), count, bins, counts.data(),
                                mean_confidences.data(), accuracies.data(), &error);
  });
  return error;
}

}  // namespace

void bind_calibration(nb::module_ &module) {
  module.def("calibrate_temperature", &calibrate_temperature, "classifier"_a, array("features"),
             array("labels"), array("examples"), "classes"_a, array("plain"), "prior"_a,
             "strength"_a);
  module.def("rejection_threshold", &rejection_threshold, array("features"), array("labels"),
             array("examples"), "classes"_a, array("plain"), "known_rate"_a);
  module.def("calibration_bins", &calibration_bins, array("confidences"), array("is_correct"),
             array("counts"), array("mean_confidences"), array("accuracies"));
}
