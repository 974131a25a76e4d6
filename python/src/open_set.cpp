// Scores of queries of unknown classes, and their quality.
#include "arguments.h"

namespace {

using DoubleMatrix = Input<double, nb::ndim<2>>;
using DoubleVector = Input<double, nb::ndim<1>>;
using DoubleOutput = Output<double, nb::ndim<1>>;
using Indices = Input<int64_t, nb::ndim<2>>;

void open_set_scores(const Matrix &features, const DoubleMatrix &centroids, int32_t score,
                     const DoubleOutput &scores) {
  const char *function = "open_set_scores";
  const int64_t rows = int64_t(features.shape(0)), dimensions = int64_t(features.shape(1));
  const int64_t classes = int64_t(centroids.shape(0));
  require_shape(function, "centroids", centroids, {classes, dimensions}, "features");
  require_shape(function, "scores", scores, {rows});
  compute([&] {
    return skd_open_set_scores(features.data(), rows, dimensions, centroids.data(), classes, score,
                               scores.data());
  });
}

nb::tuple open_set_quality(const DoubleVector &known, const DoubleVector &unknown) {
  double auroc = 0, fpr95 = 0;
  compute([&] {
    return skd_open_set_quality(known.data(), int64_t(known.shape(0)), unknown.data(),
                                int64_t(unknown.shape(0)), &auroc, &fpr95);
  });
  return nb::make_tuple(auroc, fpr95);
}

void open_set_episodes(const Input<float, nb::ndim<3>> &support, const Labels &support_labels,
                       const Matrix &features, const Indices &query,
                       const Indices &query_labels, int64_t n_way,
                       int32_t score, const DoubleOutput &aurocs,
                       const DoubleOutput &fpr95s) {
  const char *function = "open_set_episodes";
  const int64_t count = int64_t(support.shape(0)), rows = int64_t(support.shape(1));
  const int64_t dimensions = int64_t(support.shape(2)), images = int64_t(features.shape(0));
  const int64_t query_rows = int64_t(query.shape(1));
  require_shape(function, "support_labels", support_labels, {rows});
  require_shape(function, "features", features, {images, dimensions});
  require_shape(function, "query", query, {count, query_rows});
  require_shape(function, "query_labels", query_labels, {count, query_rows});
  require_shape(function, "aurocs", aurocs, {count});
  require_shape(function, "fpr95s", fpr95s, {count});
  compute([&] {
    return skd_open_set_episodes(support.data(), support_labels.data(), count, rows, dimensions,
                                 features.data(), images, query.data(), query_labels.data(),
                                 query_rows, n_way, score, aurocs.data(), fpr95s.data());
  });
}

}  // namespace

void bind_open_set(nb::module_ &module) {
  module.attr("OPEN_SET_CENTROID_COSINE") = int(SKD_OPEN_SET_CENTROID_COSINE);
  module.attr("OPEN_SET_MAX_PROBABILITY") = int(SKD_OPEN_SET_MAX_PROBABILITY);
  module.def("open_set_scores", &open_set_scores, array("features"), array("centroids"), "score"_a,
             array("scores"));
  module.def("open_set_quality", &open_set_quality, array("known"), array("unknown"),
             nb::sig("def open_set_quality(known: numpy.typing.NDArray[numpy.float64], "
                     "unknown: numpy.typing.NDArray[numpy.float64]) -> tuple[float, float]"));
  module.def("open_set_episodes", &open_set_episodes, array("support"), array("support_labels"),
             array("features"), array("query"), array("query_labels"), "n_way"_a, "score"_a,
             array("aurocs"), array("fpr95s"));
}
