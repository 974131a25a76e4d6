/// A rotation of an image, counter-clockwise; the raw value is its label for the rotation head.
public enum Rotation: Int, CaseIterable, Sendable {
  case none, quarterTurn, halfTurn, threeQuarterTurn

  public var quarterTurns: Int { rawValue }
}
