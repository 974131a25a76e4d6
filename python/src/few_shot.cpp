// Episodes, classifiers on features, and intervals.
#include "arguments.h"

namespace {

using Indices = Input<int64_t, nb::ndim<3>>;
using IndicesOutput = Output<int64_t, nb::ndim<3>>;
using DoubleMatrix = Input<double, nb::ndim<2>>;
using DoubleVector = Input<double, nb::ndim<1>>;

void sample_episodes(const Labels &labels, int64_t n_way, int64_t n_shot, int64_t n_query,
                     uint64_t seed, bool legacy, int64_t first,
                     const Output<int64_t, nb::ndim<2>> &classes, const IndicesOutput &support,
                     const IndicesOutput &query) {
  const char *function = "sample_episodes";
  const int64_t count = int64_t(classes.shape(0));
  require_shape(function, "classes", classes, {count, n_way});
  require_shape(function, "support", support, {count, n_way, n_shot});
  require_shape(function, "query", query, {count, n_way, n_query});
  const skd_episode_options options{n_way, n_shot, n_query, legacy, seed};
  compute([&] {
    return skd_sample_episodes(labels.data(), int64_t(labels.shape(0)), &options, first, count,
                               classes.data(), support.data(), query.data());
  });
}

void l2_normalize(const Matrix &features, const MatrixOutput &normalized) {
  require_shape("l2_normalize", "normalized", normalized, shape_of(features));
  compute([&] {
    return skd_l2_normalize(features.data(), int64_t(features.shape(0)),
                            int64_t(features.shape(1)), normalized.data());
  });
}

int64_t logistic_regression_fit(const Matrix &features, const Labels &labels,
                                double inverse_regularization, double tolerance,
                                int64_t max_iterations,
                                const Output<double, nb::ndim<2>> &coefficients,
                                const Output<double, nb::ndim<1>> &intercepts) {
  const char *function = "logistic_regression_fit";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t classes = int64_t(intercepts.shape(0));
  require_shape(function, "labels", labels, {rows});
  require_shape(function, "coefficients", coefficients, {classes, dimensions});
  int64_t iterations = 0;
  compute([&] {
    return skd_logistic_regression_fit(features.data(), labels.data(), rows, dimensions, classes,
                                       inverse_regularization, tolerance, max_iterations,
                                       coefficients.data(), intercepts.data(), &iterations);
  });
  return iterations;
}

void logistic_regression_decision(const Matrix &features, const DoubleMatrix &coefficients,
                                  const DoubleVector &intercepts,
                                  const Output<double, nb::ndim<2>> &decision) {
  const char *function = "logistic_regression_decision";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t classes = int64_t(intercepts.shape(0));
  require_shape(function, "coefficients", coefficients, {classes, dimensions});
  require_shape(function, "decision", decision, {rows, classes});
  compute([&] {
    return skd_logistic_regression_decision(features.data(), rows, dimensions, classes,
                                            coefficients.data(), intercepts.data(),
                                            decision.data());
  });
}

void score_episodes(const Input<float, nb::ndim<3>> &support, const Labels &support_labels,
                    const Matrix &features, const Indices &query, int32_t classifier,
                    double inverse_regularization,
                    const std::optional<IndicesOutput> &predictions,
                    const Output<double, nb::ndim<1>> &accuracies) {
  const char *function = "score_episodes";
  const int64_t count = int64_t(support.shape(0)), rows = int64_t(support.shape(1));
  const int64_t dimensions = int64_t(support.shape(2)), images = int64_t(features.shape(0));
  const int64_t n_way = int64_t(query.shape(1)), n_query = int64_t(query.shape(2));
  require_shape(function, "support_labels", support_labels, {rows});
  require_shape(function, "features", features, {images, dimensions});
  require_shape(function, "query", query, {count, n_way, n_query});
  require_shape(function, "predictions", predictions, {count, n_way, n_query});
  require_shape(function, "accuracies", accuracies, {count});
  compute([&] {
    return skd_score_episodes(support.data(), support_labels.data(), count, rows, dimensions,
                              features.data(), images, query.data(), n_way, n_query, classifier,
                              inverse_regularization, pointer(predictions), accuracies.data());
  });
}

nb::tuple mean_ci95(const DoubleVector &values) {
  double mean = 0, half_width = 0;
  compute([&] {
    return skd_mean_ci95(values.data(), int64_t(values.shape(0)), &mean, &half_width);
  });
  return nb::make_tuple(mean, half_width);
}

}  // namespace

void bind_few_shot(nb::module_ &module) {
  module.attr("CLASSIFIER_LOGISTIC") = int(SKD_CLASSIFIER_LOGISTIC);
  module.attr("CLASSIFIER_NEAREST_CENTROID") = int(SKD_CLASSIFIER_NEAREST_CENTROID);
  module.attr("CLASSIFIER_NEAREST_NEIGHBOR") = int(SKD_CLASSIFIER_NEAREST_NEIGHBOR);
  module.def("sample_episodes", &sample_episodes, array("labels"), "n_way"_a, "n_shot"_a,
             "n_query"_a, "seed"_a, "legacy"_a, "first"_a, array("classes"), array("support"),
             array("query"));
  module.def("l2_normalize", &l2_normalize, array("features"), array("normalized"));
  module.def("logistic_regression_fit", &logistic_regression_fit, array("features"),
             array("labels"), "inverse_regularization"_a, "tolerance"_a, "max_iterations"_a,
             array("coefficients"), array("intercepts"));
  module.def("logistic_regression_decision", &logistic_regression_decision, array("features"),
             array("coefficients"), array("intercepts"), array("decision"));
  module.def("score_episodes", &score_episodes, array("support"), array("support_labels"),
             array("features"), array("query"), "classifier"_a, "inverse_regularization"_a,
             optional_array("predictions"), array("accuracies"));
  module.def("mean_ci95", &mean_ci95, array("values"),
             nb::sig("def mean_ci95(values: numpy.typing.NDArray[numpy.float64]) "
                     "-> tuple[float, float]"));
}
