import SKDRuntime

/// Names in skd.h of arguments that the layers below refuse under their own names.
private let namesInC = [
  "NetworkConfiguration.classCount": "config.num_classes",
  "NetworkConfiguration.imageSize": "config.image_size",
  "NetworkConfiguration.inputChannels": "config.input_channels",
  "NetworkConfiguration.widths": "config.widths",
  "NetworkConfiguration.usesGates": "config.use_se",
  "NetworkConfiguration.dropRate": "config.drop_rate",
  "NetworkConfiguration.dropBlockSize": "config.dropblock_size",
  "SGD.learningRate": "config.learning_rate",
  "SGD.momentum": "config.momentum",
  "SGD.weightDecay": "config.weight_decay",
  "Trainer.network": "model",
  "EpisodeSampler.ways": "options.n_way",
  "EpisodeSampler.ways + unknownWays": "options.n_way + options.unknown_ways",
  "EpisodeSampler.shots + queries": "options.n_shot + options.n_query",
  "EpisodeSampler.shots + ways * queries": "options.n_shot + options.n_way * options.n_query",
  "BatchNormLayer.input": "images",
]

extension InvalidArgument {
  /// The same in the words of skd.h, for a call of `function`.
  func inC(of function: String) -> InvalidArgument {
    var named = self
    named.owner = function
    if let name = namesInC["\(owner).\(argument)"] { named.argument = name }
    return named
  }
}
