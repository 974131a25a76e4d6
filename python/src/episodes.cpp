// Drawing episodes.
#include "arguments.h"

#include <numeric>

#include <nanobind/stl/tuple.h>

namespace {

using Indices = Input<int64_t, nb::ndim<1>>;
using IndicesOutput = Output<int64_t, nb::ndim<1>>;

/// Classes and support images, each from and to; queries; unknown classes; concentration of the
/// queries; whether the episodes are those of the published code; seed.
using Options =
    std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, double, bool, uint64_t>;

skd_episode_options episode_options(const Options &options) {
  skd_episode_options result{};
  int64_t max_way = 0, max_shot = 0;
  bool legacy = false;
  std::tie(result.n_way, max_way, result.n_shot, max_shot, result.n_query, result.unknown_ways,
           result.query_concentration, legacy, result.seed) = options;
  result.max_way = max_way == result.n_way ? 0 : max_way;
  result.max_shot = max_shot == result.n_shot ? 0 : max_shot;
  result.legacy = legacy;
  return result;
}

void episode_extents(const Options &options, int64_t first, const IndicesOutput &n_way,
                     const IndicesOutput &n_shot) {
  const int64_t count = int64_t(n_way.shape(0));
  require_shape("episode_extents", "n_shot", n_shot, {count});
  const skd_episode_options fields = episode_options(options);
  compute([&] {
    return skd_episode_extents(&fields, first, count, n_way.data(), n_shot.data());
  });
}

void sample_episodes(const Labels &labels, const Options &options, int64_t first, int64_t count,
                     const IndicesOutput &classes, const IndicesOutput &support,
                     const IndicesOutput &query, const IndicesOutput &query_counts) {
  const char *function = "sample_episodes";
  const skd_episode_options fields = episode_options(options);
  if (count < 0) refuse(function, "count", 0, INT64_MAX, count);
  std::vector<int64_t> ways(count), shots(count);
  compute([&] { return skd_episode_extents(&fields, first, count, ways.data(), shots.data()); });
  int64_t class_count = 0, support_count = 0;
  for (int64_t e = 0; e < count; ++e) {
    class_count += ways[e] + fields.unknown_ways;
    support_count += ways[e] * shots[e];
  }
  require_shape(function, "classes", classes, {class_count});
  require_shape(function, "support", support, {support_count});
  require_shape(function, "query", query, {class_count * fields.n_query});
  require_shape(function, "query_counts", query_counts, {class_count});
  compute([&] {
    return skd_sample_episodes(labels.data(), int64_t(labels.shape(0)), &fields, first, count,
                               classes.data(), support.data(), query.data(), query_counts.data());
  });
}

}  // namespace

void bind_episodes(nb::module_ &module) {
  module.def("episode_extents", &episode_extents, "options"_a, "first"_a, array("n_way"),
             array("n_shot"));
  module.def("sample_episodes", &sample_episodes, array("labels"), "options"_a, "first"_a,
             "count"_a, array("classes"), array("support"), array("query"), array("query_counts"));
}
