// swift-tools-version: 6.2
import PackageDescription

/// The instruction set of the kernels: on x86-64 whatever this machine has, on arm64 the only one
/// there is, unless SKD_MARCH names another (for example SKD_MARCH=x86-64-v3 for AVX2 with FMA).
let architecture: String? = {
  if let named = Context.environment["SKD_MARCH"], !named.isEmpty {
    // setup.py lays out several builds; here is one.
    precondition(named != "all", "SKD_MARCH=all is for 'pip install .'; name one architecture")
    return named
  }
  #if arch(x86_64)
    return "native"
  #else
    return nil
  #endif
}()

/// Kernels are built optimised in debug builds too: SIMD code is some 40 times slower without.
/// `-unroll-threshold` lets LLVM unroll the accumulator rows of the GEMM micro-kernel completely
/// (43 -> 187 GFLOP/s a core where it does not).
let kernelFlags = [
  "-Ounchecked", "-wmo", "-num-threads", "2", "-Xllvm", "-unroll-threshold=500",
]
/// SKD_WINOGRAD=off is for `benchmarks/precision.py`, which tells what Winograd's rounding changes.
let definitions: [SwiftSetting] =
  Context.environment["SKD_WINOGRAD"] == "off" ? [.define("SKD_WITHOUT_WINOGRAD")] : []
let kernelSettings: [SwiftSetting] =
  [.unsafeFlags(kernelFlags + (architecture.map { ["-Xcc", "-march=\($0)"] } ?? []))] + definitions

/// What moves millions of numbers outside the kernels, and what checks them in the tests.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"])]

let package = Package(
  name: "SKD",
  products: [.library(name: "SKD", type: .dynamic, targets: ["SKDABI"])],
  targets: [
    .target(name: "CSKD"),
    .target(name: "CIntrinsics"),
    .target(name: "CLibrary"),
    .target(
      name: "SKDRuntime", dependencies: ["CLibrary"], exclude: ["README.md"],
      swiftSettings: optimized),
    .target(
      name: "SKDKernels", dependencies: ["CIntrinsics", "CLibrary", "SKDRuntime"],
      exclude: ["README.md"], swiftSettings: kernelSettings),
    .target(
      name: "SKDNN", dependencies: ["CLibrary", "SKDKernels", "SKDRuntime"],
      exclude: ["README.md"], swiftSettings: optimized),
    .target(
      name: "SKDFewShot", dependencies: ["CLibrary", "SKDNN", "SKDKernels", "SKDRuntime"],
      exclude: ["README.md"], swiftSettings: optimized),
    .target(
      name: "SKDABI",
      dependencies: ["CLibrary", "CSKD", "SKDFewShot", "SKDNN", "SKDKernels", "SKDRuntime"],
      exclude: ["README.md", "Link"]),

    .target(
      name: "SKDTestSupport", dependencies: ["SKDNN", "SKDRuntime"], path: "Tests/SKDTestSupport",
      swiftSettings: optimized),
    .testTarget(name: "SKDTestSupportTests", dependencies: ["SKDTestSupport"]),
    .testTarget(name: "SKDRuntimeTests", dependencies: ["SKDRuntime"]),
    .testTarget(
      name: "SKDKernelsTests", dependencies: ["SKDKernels", "SKDRuntime", "SKDTestSupport"],
      swiftSettings: optimized),
    .testTarget(
      name: "SKDNNTests", dependencies: ["SKDNN", "SKDKernels", "SKDRuntime", "SKDTestSupport"]),
    .testTarget(
      name: "SKDFewShotTests",
      dependencies: ["SKDFewShot", "SKDNN", "SKDKernels", "SKDRuntime", "SKDTestSupport"]),
    // Random calls of skd.h, which a test runs in a process of its own.
    .executableTarget(
      name: "SKDABIFuzzer", dependencies: ["SKDABI", "CSKD"], path: "Tests/SKDABIFuzzer",
      swiftSettings: optimized),
    .testTarget(
      name: "SKDABITests",
      dependencies: ["SKDABI", "CSKD", "SKDRuntime", "SKDTestSupport", "SKDABIFuzzer"]),
  ],
  swiftLanguageModes: [.v6]
)
