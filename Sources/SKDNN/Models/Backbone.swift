import SKDKernels

/// The part of a network that turns images into feature maps.
protocol Backbone: AnyObject {
  /// Stages, whose outputs can be asked for in evaluation.
  var stageCount: Int { get }
  /// Channels of the last feature map.
  var outputChannels: Int { get }
  /// Extent of the output of a stage for images of the given extent.
  func stageShape(_ stage: Int, of images: ImageShape) -> ImageShape

  /// A training pass, which keeps the values that the backward pass reads.
  func forward(_ images: Tensor, _ context: TrainingContext) throws -> Tensor
  /// Writes the gradient of every parameter. There is none for the images.
  ///
  /// - Parameter onFinal: Called, where it is known before the end, with the number of a state entry
  ///   of which and of all later ones the gradients are final.
  func backward(
    _ dOutput: Tensor, _ context: TrainingContext, onFinal: (_ firstEntry: Int) throws -> Void
  ) throws
  /// Takes the batch statistics of the last forward pass into the running ones.
  func commitStatistics()

  /// A pass with running statistics and without dropping, which keeps nothing.
  ///
  /// - Parameter onStage: Called with the number and the output of each stage.
  func evaluate(
    _ images: Tensor, _ pool: BufferPool, onStage: (_ stage: Int, _ output: Tensor) -> Void
  ) throws -> Tensor
}

/// He's initialisation for a 3x3 or 1x1 convolution: normal with variance 2 / fan_out.
func kaimingNormal(outputs: Int, kernelSize: Int) -> Initializer {
  .normal(standardDeviation: (2 / Float(outputs * kernelSize * kernelSize)).squareRoot())
}
