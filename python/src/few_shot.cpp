// Classifiers on features, and intervals.
#include "arguments.h"

namespace {

using Indices = Input<int64_t, nb::ndim<2>>;
using IndicesOutput = Output<int64_t, nb::ndim<2>>;
using DoubleMatrix = Input<double, nb::ndim<2>>;
using DoubleVector = Input<double, nb::ndim<1>>;

void l2_normalize(const Matrix &features, const std::optional<Vector> &mean,
                  const MatrixOutput &normalized) {
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  require_shape("l2_normalize", "mean", mean, {dimensions}, "features");
  require_shape("l2_normalize", "normalized", normalized, shape_of(features));
  compute([&] {
    return skd_l2_normalize(features.data(), rows, dimensions, pointer(mean), normalized.data());
  });
}

using Coefficients = Output<double, nb::ndim<2>>;
using Intercepts = Output<double, nb::ndim<1>>;

/// Extents of a fit, checked against each other.
struct Fit {
  int64_t rows, dimensions, classes;

  Fit(const char *function, const Matrix &features, const Labels &labels,
      const Coefficients &coefficients, int64_t classes)
      : rows(int64_t(features.shape(0))), dimensions(int64_t(features.shape(1))),
        classes(classes) {
    require_shape(function, "labels", labels, {rows});
    require_shape(function, "coefficients", coefficients, {classes, dimensions});
  }
};

/// Iterations taken, and whether the tolerance was reached.
nb::tuple fit_iteratively(const char *function, decltype(&skd_linear_svc_fit) fit,
                          const Matrix &features, const Labels &labels,
                          double inverse_regularization, double tolerance, int64_t max_iterations,
                          const Coefficients &coefficients, const Intercepts &intercepts) {
  const Fit extent(function, features, labels, coefficients, int64_t(intercepts.shape(0)));
  int64_t iterations = 0;
  int32_t is_converged = 0;
  compute([&] {
    return fit(features.data(), labels.data(), extent.rows, extent.dimensions, extent.classes,
               inverse_regularization, tolerance, max_iterations, coefficients.data(),
               intercepts.data(), &iterations, &is_converged);
  });
  return nb::make_tuple(iterations, is_converged != 0);
}

nb::tuple logistic_regression_fit(const Matrix &features, const Labels &labels,
                                  double inverse_regularization, double tolerance,
                                  int64_t max_iterations, const Coefficients &coefficients,
                                  const Intercepts &intercepts) {
  return fit_iteratively("logistic_regression_fit", &skd_logistic_regression_fit, features, labels,
                         inverse_regularization, tolerance, max_iterations, coefficients,
                         intercepts);
}

nb::tuple linear_svc_fit(const Matrix &features, const Labels &labels,
                         double inverse_regularization, double tolerance, int64_t max_iterations,
                         const Coefficients &coefficients, const Intercepts &intercepts) {
  return fit_iteratively("linear_svc_fit", &skd_linear_svc_fit, features, labels,
                         inverse_regularization, tolerance, max_iterations, coefficients,
                         intercepts);
}

void ridge_classifier_fit(const Matrix &features, const Labels &labels, double alpha,
                          const Coefficients &coefficients, const Intercepts &intercepts) {
  const Fit extent("ridge_classifier_fit", features, labels, coefficients,
                   int64_t(intercepts.shape(0)));
  compute([&] {
    return skd_ridge_classifier_fit(features.data(), labels.data(), extent.rows, extent.dimensions,
                                    extent.classes, alpha, coefficients.data(), intercepts.data());
  });
}

void linear_decision(const Matrix &features, const DoubleMatrix &coefficients,
                     const DoubleVector &intercepts,
                     const Output<double, nb::ndim<2>> &decision) {
  const char *function = "linear_decision";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t classes = int64_t(intercepts.shape(0));
  require_shape(function, "coefficients", coefficients, {classes, dimensions});
  require_shape(function, "decision", decision, {rows, classes});
  compute([&] {
    return skd_linear_decision(features.data(), rows, dimensions, classes, coefficients.data(),
                               intercepts.data(), decision.data());
  });
}

void softmax(const DoubleMatrix &logits, double temperature,
             const Output<double, nb::ndim<2>> &probabilities) {
  require_shape("softmax", "probabilities", probabilities, shape_of(logits));
  compute([&] {
    return skd_softmax(logits.data(), int64_t(logits.shape(0)), int64_t(logits.shape(1)),
                       temperature, probabilities.data());
  });
}

void class_centroids(const Matrix &features, const Labels &labels,
                     const Output<double, nb::ndim<2>> &centroids) {
  const char *function = "class_centroids";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t classes = int64_t(centroids.shape(0));
  require_shape(function, "labels", labels, {rows});
  require_shape(function, "centroids", centroids, {classes, dimensions});
  compute([&] {
    return skd_class_centroids(features.data(), labels.data(), rows, dimensions, classes,
                               centroids.data());
  });
}

void prototype_proximities(const Matrix &features, const DoubleMatrix &prototypes, int32_t metric,
                           const Output<double, nb::ndim<2>> &proximities) {
  const char *function = "prototype_proximities";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t count = int64_t(prototypes.shape(0));
  require_shape(function, "prototypes", prototypes, {count, dimensions});
  require_shape(function, "proximities", proximities, {rows, count});
  compute([&] {
    return skd_prototype_proximities(features.data(), rows, dimensions, prototypes.data(), count,
                                     metric, proximities.data());
  });
}

void nearest_prototypes(const Matrix &features, const DoubleMatrix &prototypes, int32_t metric,
                        const Output<int64_t, nb::ndim<1>> &nearest) {
  const char *function = "nearest_prototypes";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t count = int64_t(prototypes.shape(0));
  require_shape(function, "prototypes", prototypes, {count, dimensions});
  require_shape(function, "nearest", nearest, {rows});
  compute([&] {
    return skd_nearest_prototypes(features.data(), rows, dimensions, prototypes.data(), count,
                                  metric, nearest.data());
  });
}

void score_episodes(const Input<float, nb::ndim<3>> &support, const Labels &support_labels,
                    const Matrix &features, const Indices &query, const Indices &query_labels,
                    int64_t n_way, const skd_classifier_options &classifier,
                    const std::optional<IndicesOutput> &predictions,
                    const Output<double, nb::ndim<1>> &accuracies) {
  const char *function = "score_episodes";
  const int64_t count = int64_t(support.shape(0)), rows = int64_t(support.shape(1));
  const int64_t dimensions = int64_t(support.shape(2)), images = int64_t(features.shape(0));
  const int64_t query_rows = int64_t(query.shape(1));
  require_shape(function, "support_labels", support_labels, {rows});
  require_shape(function, "features", features, {images, dimensions});
  require_shape(function, "query", query, {count, query_rows});
  require_shape(function, "query_labels", query_labels, {count, query_rows});
  require_shape(function, "predictions", predictions, {count, query_rows});
  require_shape(function, "accuracies", accuracies, {count});
  compute([&] {
    return skd_score_episodes(support.data(), support_labels.data(), count, rows, dimensions,
                              features.data(), images, query.data(), query_labels.data(),
                              query_rows, n_way, &classifier, pointer(predictions),
                              accuracies.data());
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
  module.attr("METRIC_EUCLIDEAN") = int(SKD_METRIC_EUCLIDEAN);
  module.attr("METRIC_COSINE") = int(SKD_METRIC_COSINE);
  module.def("l2_normalize", &l2_normalize, array("features"), optional_array("mean"),
             array("normalized"));
  module.def("logistic_regression_fit", &logistic_regression_fit, array("features"),
             array("labels"), "inverse_regularization"_a, "tolerance"_a, "max_iterations"_a,
             array("coefficients"), array("intercepts"));
  module.def("ridge_classifier_fit", &ridge_classifier_fit, array("features"), array("labels"),
             "alpha"_a, array("coefficients"), array("intercepts"));
  module.def("linear_svc_fit", &linear_svc_fit, array("features"), array("labels"),
             "inverse_regularization"_a, "tolerance"_a, "max_iterations"_a, array("coefficients"),
             array("intercepts"));
  module.def("linear_decision", &linear_decision, array("features"), array("coefficients"),
             array("intercepts"), array("decision"));
  module.def("softmax", &softmax, array("logits"), "temperature"_a, array("probabilities"));
  module.def("class_centroids", &class_centroids, array("features"), array("labels"),
             array("centroids"));
  module.def("prototype_proximities", &prototype_proximities, array("features"),
             array("prototypes"), "metric"_a, array("proximities"));
  module.def("nearest_prototypes", &nearest_prototypes, array("features"), array("prototypes"),
             "metric"_a, array("nearest"));
  module.def("score_episodes", &score_episodes, array("support"), array("support_labels"),
             array("features"), array("query"), array("query_labels"), "n_way"_a, "classifier"_a,
             optional_array("predictions"), array("accuracies"));
  module.def("mean_ci95", &mean_ci95, array("values"),
             nb::sig("def mean_ci95(values: numpy.typing.NDArray[numpy.float64]) "
                     "-> tuple[float, float]"));
}
