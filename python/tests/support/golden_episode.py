"""The episodes of the golden file of classifiers."""

import numpy as np
from golden import Golden, uniform

import skd

CLASSIFIER = Golden("classifier")


class ClassifierEpisode:
    """L2-normalised support and query features of one episode of the golden file."""

    dimensions = 640

    def __init__(self, number):
        self.key = f"episode{number}"
        ways, shots, copies, queries, offset, centre = CLASSIFIER.numbers(f"{self.key}.cfg")
        self.ways, self.shots = ways, shots
        centres = self.draw("centre", ways) * (centre / 64) + offset / 64
        base = np.repeat(centres, shots, axis=0) + self.draw("base", ways * shots)
        noise = 0.25 * self.draw("augment", copies * ways * shots)
        support = np.concatenate([base] * copies) + noise
        query = np.repeat(centres, queries, axis=0) + self.draw("query", ways * queries)
        self.support = skd.l2_normalize(support.astype(np.float32))
        self.query = skd.l2_normalize(query.astype(np.float32))
        self.labels = np.tile(np.repeat(np.arange(ways), shots), copies)
        self.truth = np.repeat(np.arange(ways), queries)

    def draw(self, part, rows):
        return uniform(f"{self.key}.{part}", (rows, self.dimensions), CLASSIFIER.seed("data"))

    def __getitem__(self, name):
        return CLASSIFIER[f"{self.key}.{name}"]
