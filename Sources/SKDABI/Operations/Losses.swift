import CSKD
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_cross_entropy(
  _ logits: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ classes: Int64, _ loss: UnsafeMutablePointer<Float>!, _ d_logits: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("cross_entropy") { arguments in
    let logits = try arguments.pointer(logits, "logits")
    let labels = try arguments.pointer(labels, "labels")
    let loss = try arguments.pointer(loss, "loss")
    let (rows, classes) = try arguments.matrix(rows, classes, columnsName: "classes")
    try arguments.labels(labels, count: rows, classes: classes)
    loss.pointee = softmaxCrossEntropy(
      logits, labels: labels, rows: rows, classes: classes, dLogits: d_logits)
  }
}

@c @implementation
public func skd_bce_with_logits(
  _ logits: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ classes: Int64, _ loss: UnsafeMutablePointer<Float>!, _ d_logits: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("bce_with_logits") { arguments in
    let logits = try arguments.pointer(logits, "logits")
    let labels = try arguments.pointer(labels, "labels")
    let loss = try arguments.pointer(loss, "loss")
    let (rows, classes) = try arguments.matrix(rows, classes, columnsName: "classes")
    try arguments.labels(labels, count: rows, classes: classes)
    loss.pointee = bceWithLogits(
      logits, labels: labels, rows: rows, classes: classes, dLogits: d_logits)
  }
}

@c @implementation
public func skd_distill_kl(
  _ student: UnsafePointer<Float>!, _ teacher: UnsafePointer<Float>!, _ rows: Int64,
  _ classes: Int64, _ temperature: Float, _ loss: UnsafeMutablePointer<Float>!,
  _ d_student: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("distill_kl") { arguments in
    let student = try arguments.pointer(student, "student")
    let teacher = try arguments.pointer(teacher, "teacher")
    let loss = try arguments.pointer(loss, "loss")
    let (rows, classes) = try arguments.matrix(rows, classes, columnsName: "classes")
    try arguments.positive(temperature, "temperature")
    loss.pointee = distillKL(
      student: student, teacher: teacher, rows: rows, classes: classes, temperature: temperature,
      dStudent: d_student)
  }
}

@c @implementation
public func skd_twin_l2(
  _ rotated: UnsafePointer<Float>!, _ upright: UnsafePointer<Float>!, _ rows: Int64,
  _ classes: Int64, _ loss: UnsafeMutablePointer<Float>!,
  _ d_rotated: UnsafeMutablePointer<Float>!, _ d_upright: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("twin_l2") { arguments in
    let rotated = try arguments.pointer(rotated, "rotated")
    let upright = try arguments.pointer(upright, "upright")
    let loss = try arguments.pointer(loss, "loss")
    let (rows, classes) = try arguments.matrix(rows, classes, columnsName: "classes")
    loss.pointee = twinL2(
      rotated: rotated, upright: upright, rows: rows, classes: classes, dRotated: d_rotated,
      dUpright: d_upright)
  }
}
