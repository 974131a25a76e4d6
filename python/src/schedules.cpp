// Learning-rate schedules.
#include "arguments.h"

namespace {

double step_learning_rate(int64_t epoch, double base, double factor, const Labels &milestones) {
  double rate = 0;
  compute([&] {
    return skd_step_learning_rate(epoch, base, factor, milestones.data(),
                                  int64_t(milestones.shape(0)), &rate);
  });
  return rate;
}

double cosine_learning_rate(int64_t epoch, int64_t epochs, double base, double factor) {
  double rate = 0;
  compute([&] { return skd_cosine_learning_rate(epoch, epochs, base, factor, &rate); });
  return rate;
}

double one_cycle_learning_rate(double progress, double epochs, double warmup, double base,
                               double factor) {
  double rate = 0;
  compute([&] {
    return skd_one_cycle_learning_rate(progress, epochs, warmup, base, factor, &rate);
  });
  return rate;
}

}  // namespace

void bind_schedules(nb::module_ &module) {
  module.def("step_learning_rate", &step_learning_rate, "epoch"_a, "base"_a, "factor"_a,
             array("milestones"));
  module.def("cosine_learning_rate", &cosine_learning_rate, "epoch"_a, "epochs"_a, "base"_a,
             "factor"_a);
  module.def("one_cycle_learning_rate", &one_cycle_learning_rate, "progress"_a, "epochs"_a,
             "warmup"_a, "base"_a, "factor"_a);
}
