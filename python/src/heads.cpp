// Classifiers of episodes with their hyper-parameters, and transductive heads.
#include "arguments.h"

namespace {

void create(skd_classifier_options *self, int32_t kind, double inverse_regularization,
            double scale, int64_t pseudo_labels, int64_t neighbors, double neighbor_weight,
            bool centers, bool rectifies, double cross_entropy_weight, double marginal_entropy_weight,
            double conditional_entropy_weight, double alpha, double power, double learning_rate,
            int64_t steps) {
  skd_classifier_options options{};
  options.kind = kind;
  options.inverse_regularization = inverse_regularization;
  options.scale = scale;
  options.pseudo_labels = pseudo_labels;
  options.neighbors = neighbors;
  options.neighbor_weight = neighbor_weight;
  options.centers = centers;
  options.rectifies = rectifies;
  options.cross_entropy_weight = cross_entropy_weight;
  options.marginal_entropy_weight = marginal_entropy_weight;
  options.conditional_entropy_weight = conditional_entropy_weight;
  options.alpha = alpha;
  options.power = power;
  options.learning_rate = learning_rate;
  options.steps = steps;
  new (self) skd_classifier_options(options);
}

void classify_queries(const skd_classifier_options &head, const Input<float, nb::ndim<3>> &support,
                      const Labels &support_labels, const Input<float, nb::ndim<3>> &query,
                      const Output<int64_t, nb::ndim<2>> &predictions,
                      const Output<double, nb::ndim<3>> &scores,
                      const Output<double, nb::ndim<1>> &objectives) {
  const char *function = "classify_queries";
  const int64_t count = int64_t(support.shape(0)), rows = int64_t(support.shape(1));
  const int64_t dimensions = int64_t(support.shape(2)), query_rows = int64_t(query.shape(1));
  const int64_t classes = int64_t(scores.shape(2));
  require_shape(function, "support_labels", support_labels, {rows});
  require_shape(function, "query", query, {count, query_rows, dimensions});
  require_shape(function, "predictions", predictions, {count, query_rows});
  require_shape(function, "scores", scores, {count, query_rows, classes});
  require_shape(function, "objectives", objectives, {count});
  compute([&] {
    return skd_classify_queries(&head, support.data(), support_labels.data(), count, rows,
                                dimensions, query.data(), query_rows, classes, predictions.data(),
                                scores.data(), objectives.data());
  });
}

}  // namespace

void bind_heads(nb::module_ &module) {
  module.attr("CLASSIFIER_LOGISTIC") = int(SKD_CLASSIFIER_LOGISTIC);
  module.attr("CLASSIFIER_NEAREST_CENTROID") = int(SKD_CLASSIFIER_NEAREST_CENTROID);
  module.attr("CLASSIFIER_NEAREST_NEIGHBOR") = int(SKD_CLASSIFIER_NEAREST_NEIGHBOR);
  module.attr("CLASSIFIER_NEAREST_CENTROID_COSINE") = int(SKD_CLASSIFIER_NEAREST_CENTROID_COSINE);
  module.attr("CLASSIFIER_NEAREST_NEIGHBOR_COSINE") = int(SKD_CLASSIFIER_NEAREST_NEIGHBOR_COSINE);
  module.attr("CLASSIFIER_RIDGE") = int(SKD_CLASSIFIER_RIDGE);
  module.attr("CLASSIFIER_LINEAR_SVC") = int(SKD_CLASSIFIER_LINEAR_SVC);
  module.attr("CLASSIFIER_SIMPLE_SHOT") = int(SKD_CLASSIFIER_SIMPLE_SHOT);
  module.attr("CLASSIFIER_BD_CSPN") = int(SKD_CLASSIFIER_BD_CSPN);
  module.attr("CLASSIFIER_LAPLACIAN_SHOT") = int(SKD_CLASSIFIER_LAPLACIAN_SHOT);
  module.attr("CLASSIFIER_TIM") = int(SKD_CLASSIFIER_TIM);
  module.attr("CLASSIFIER_ALPHA_TIM") = int(SKD_CLASSIFIER_ALPHA_TIM);
  module.attr("CLASSIFIER_PT_MAP") = int(SKD_CLASSIFIER_PT_MAP);
  nb::class_<skd_classifier_options>(module, "ClassifierOptions")
      .def("__init__", &create, nb::kw_only(), "kind"_a, "inverse_regularization"_a, "scale"_a,
           "pseudo_labels"_a, "neighbors"_a, "neighbor_weight"_a, "centers"_a,
           "rectifies"_a,
           "cross_entropy_weight"_a, "marginal_entropy_weight"_a, "conditional_entropy_weight"_a,
           "alpha"_a, "power"_a, "learning_rate"_a, "steps"_a);
  module.def("classify_queries", &classify_queries, "head"_a, array("support"),
             array("support_labels"), array("query"), array("predictions"), array("scores"),
             array("objectives"));
}
