// The losses and their gradients.
#include "arguments.h"

namespace {

using LabelledLoss = skd_status (*)(const float *, const int64_t *, int64_t, int64_t, float *,
                                    float *);

/// A loss of logits against labels.
float labelled(const char *function, LabelledLoss loss_function, const Matrix &logits,
               const Labels &labels, const MatrixOutput &d_logits) {
  const int64_t rows = int64_t(logits.shape(0)), classes = int64_t(logits.shape(1));
  require_shape(function, "labels", labels, {rows});
  require_shape(function, "d_logits", d_logits, {rows, classes});
  float loss = 0;
  compute([&] {
    return loss_function(logits.data(), labels.data(), rows, classes, &loss, d_logits.data());
  });
  return loss;
}

float cross_entropy(const Matrix &logits, const Labels &labels, const MatrixOutput &d_logits) {
  return labelled("cross_entropy", &skd_cross_entropy, logits, labels, d_logits);
}

float rotation_bce(const Matrix &logits, const Labels &labels, const MatrixOutput &d_logits) {
  return labelled("rotation_bce", &skd_bce_with_logits, logits, labels, d_logits);
}

float distill_kl(const Matrix &student, const Matrix &teacher, float temperature,
                 const MatrixOutput &d_student) {
  const Shape shape = shape_of(student);
  require_shape("distill_kl", "teacher", teacher, shape, "student");
  require_shape("distill_kl", "d_student", d_student, shape);
  float loss = 0;
  compute([&] {
    return skd_distill_kl(student.data(), teacher.data(), shape[0], shape[1], temperature, &loss,
                          d_student.data());
  });
  return loss;
}

float twin_l2(const Matrix &rotated, const Matrix &upright, const MatrixOutput &d_rotated,
              const MatrixOutput &d_upright) {
  const Shape shape = shape_of(rotated);
  require_shape("twin_l2", "upright", upright, shape, "rotated");
  require_shape("twin_l2", "d_rotated", d_rotated, shape);
  require_shape("twin_l2", "d_upright", d_upright, shape);
  float loss = 0;
  compute([&] {
    return skd_twin_l2(rotated.data(), upright.data(), shape[0], shape[1], &loss,
                       d_rotated.data(), d_upright.data());
  });
  return loss;
}

}  // namespace

void bind_losses(nb::module_ &module) {
  module.def("cross_entropy", &cross_entropy, array("logits"), array("labels"),
             array("d_logits"));
  module.def("rotation_bce", &rotation_bce, array("logits"), array("labels"), array("d_logits"));
  module.def("distill_kl", &distill_kl, array("student"), array("teacher"), "temperature"_a,
             array("d_student"));
  module.def("twin_l2", &twin_l2, array("rotated"), array("upright"), array("d_rotated"),
             array("d_upright"));
}
