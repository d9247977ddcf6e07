// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 with strict concurrency; warnings are errors in code that people write.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"), .treatAllWarnings(as: .error),
]

/// For the byte path: exclusive access to memory is checked at run time in debug builds, which the tests run, and not in
/// release builds, where the checks are a twentieth of a call's cost.
let bytePath =
  settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let protobufPlugin = Target.Dependency.product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")
let protocGenSwift = Target.Dependency.product(name: "protoc-gen-swift", package: "swift-protobuf")

/// A library of `Sources/`, with the dependencies that `Sources/README.md` draws.
func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [],
  settings: [SwiftSetting] = settings
) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let systemLibraries: [Target] = [
  .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
  .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
]

let cTargets: [Target] = [
  .target(name: "COpenSSLShims", dependencies: ["COpenSSL"]),
  .target(name: "CCRC32C"),
  .target(name: "CImportRows", dependencies: ["CProtobufC"]),
  .target(name: "CLinux"),
]

let libraries: [Target] = [
  library("ComandaDomain"),
  library("ComandaCrypto", ["COpenSSL", "CCRC32C"]),
  library("ComandaWire", [nioCore, deque], settings: bytePath),
  library("ComandaTLS", ["COpenSSL", "COpenSSLShims", nioCore], settings: bytePath),
  library("ComandaRPC", [deque, nioCore, logging, metrics], settings: bytePath),
  library(
    "ComandaTransport", ["CLinux", "ComandaRPC", "ComandaTLS", "ComandaWire", deque, logging, nioCore, nioPosix],
    settings: bytePath),
  library("ComandaProtos", ["ComandaRPC", nioCore, protobuf]),
  library("ComandaImportCodec", ["CCRC32C", "CImportRows", "ComandaDomain"]),
  library("ComandaImportFiles"),
  library("ComandaPostgres", ["CLibPQ", deque, logging]),
  library("ComandaStore", ["ComandaDomain", "ComandaPostgres", logging], resources: [.embedInCode("SQL")]),
  library(
    "ComandaServices",
    ["ComandaCrypto", "ComandaDomain", "ComandaImportCodec", "ComandaProtos", "ComandaRPC", logging, nioCore, protobuf]),
  library(
    "ComandaClient",
    [
      "ComandaCrypto", "ComandaDomain", "ComandaImportCodec", "ComandaImportFiles", "ComandaProtos", "ComandaRPC",
      "ComandaTLS", "ComandaTransport", protobuf,
    ]),
  library("ComandaEmbeddedPostgres", ["CLinux", logging]),
  library("ComandaTelemetry", [logging]),
  library("ComandaServerConfiguration", [argumentParser, configuration, logging]),
  library("ComandaConformanceService", ["ComandaProtos", "ComandaRPC", protobuf]),
  library(
    "ComandaConformance",
    [
      "ComandaConformanceService", "ComandaProtos", "ComandaRPC", "ComandaTLS", "ComandaTransport", logging, nioCore,
      nioPosix, protobuf,
    ]),
  library("ComandaCodeGen", [protobufPlugin]),
]

let executables: [Target] = [
  executable(
    "comanda-server",
    [
      "CLinux", "ComandaConformanceService", "ComandaCrypto", "ComandaDomain", "ComandaEmbeddedPostgres",
      "ComandaPostgres", "ComandaProtos", "ComandaRPC", "ComandaServerConfiguration", "ComandaServices", "ComandaStore",
      "ComandaTLS", "ComandaTelemetry", "ComandaTransport", argumentParser, lifecycle, logging, unixSignals,
    ]),
  executable(
    "comanda",
    ["CLinux", "ComandaClient", "ComandaImportFiles", "ComandaProtos", "ComandaRPC", argumentParser, protobuf]),
  executable(
    "comanda-bench",
    [
      "CLinux", "ComandaClient", "ComandaCrypto", "ComandaDomain", "ComandaRPC", "ComandaServices", "ComandaTLS",
      "ComandaTransport", "ComandaWire", argumentParser, logging, metrics, nioCore,
    ]),
  executable(
    "comanda-conformance", ["CLinux", "ComandaClient", "ComandaConformance", "ComandaTLS", argumentParser, logging]),
  executable("protoc-gen-comanda", ["ComandaCodeGen"]),
]

let testTargets: [Target] = [
  .target(
    name: "ComandaWireTestKit", dependencies: ["ComandaTransport", "ComandaWire", nioCore],
    path: "Tests/ComandaWireTestKit", swiftSettings: settings),
  .target(
    name: "ComandaTestDatabase", dependencies: ["CLibPQ", "CLinux"], path: "Tests/ComandaTestDatabase",
    swiftSettings: settings),
  .target(
    name: "ComandaTestRun", dependencies: ["CLinux"], path: "Tests/ComandaTestRun", swiftSettings: settings),
  .executableTarget(
    name: "embedded-postgres-owner", dependencies: ["ComandaEmbeddedPostgres"], path: "Tests/EmbeddedPostgresOwner",
    swiftSettings: settings),
  tests("ComandaTidyTests", []),
  tests("ComandaDomainTests", ["ComandaDomain"]),
  tests("ComandaCryptoTests", ["CCRC32C", "ComandaCrypto"]),
  tests("ComandaWireTests", ["ComandaWire", "ComandaWireTestKit", nioCore], exclude: ["Corpus"]),
  tests("ComandaRPCTests", ["ComandaRPC", logging, nioCore]),
  tests(
    "ComandaTransportTests",
    [
      "ComandaRPC", "ComandaTestRun", "ComandaTLS", "ComandaTransport", "ComandaWire", logging, nioCore, nioEmbedded,
      nioPosix,
    ]),
  tests(
    "ComandaTLSTests", ["COpenSSL", "COpenSSLShims", "ComandaTestRun", "ComandaTLS", nioCore, nioEmbedded, nioPosix]),
  tests(
    "ComandaServicesTests", ["ComandaDomain", "ComandaProtos", "ComandaRPC", "ComandaServices", logging, protobuf]),
  tests("ComandaProtosTests", ["ComandaProtos", "ComandaRPC", "ComandaTestRun", nioCore, protobuf]),
  tests(
    "ComandaImportCodecTests",
    ["CCRC32C", "CImportRows", "ComandaDomain", "ComandaImportCodec", "ComandaProtos", protobuf]),
  tests("ComandaImportFilesTests", ["ComandaImportFiles"]),
  tests("ComandaBenchTests", ["comanda-bench", "ComandaTLS"]),
  tests(
    "ComandaConformanceTests",
    ["comanda-conformance", "ComandaConformance", "ComandaTestRun", "ComandaTLS", logging]),
  tests("ComandaPostgresTests", ["ComandaPostgres", "ComandaTestDatabase", logging]),
  tests(
    "ComandaStoreTests",
    ["ComandaDomain", "ComandaPostgres", "ComandaServices", "ComandaStore", "ComandaTestDatabase", logging]),
  tests("ComandaEmbeddedPostgresTests", ["ComandaEmbeddedPostgres", "ComandaTestRun", "embedded-postgres-owner"]),
  tests("ComandaServerConfigurationTests", ["ComandaServerConfiguration"]),
  tests(
    "ComandaClientTests",
    [
      "ComandaClient", "ComandaImportCodec", "ComandaImportFiles", "ComandaProtos", "ComandaRPC", "ComandaTestRun",
      "ComandaTransport", nioCore, protobuf,
    ]),
  tests(
    "ComandaCLITests",
    [
      "comanda", "ComandaClient", "ComandaImportFiles", "ComandaProtos", "ComandaRPC", "ComandaTestRun", argumentParser,
      protobuf,
    ]),
  tests("ComandaTelemetryTests", ["ComandaTelemetry", logging]),
  tests(
    "ComandaIntegrationTests",
    [
      "CCRC32C", "CLinux", "comanda", "comanda-server", "ComandaClient", "ComandaDomain", "ComandaEmbeddedPostgres",
      "ComandaImportCodec", "ComandaPostgres", "ComandaProtos", "ComandaRPC", "ComandaStore", "ComandaTestRun",
      "ComandaTLS", "ComandaTransport", logging, nioCore, nioPosix, protobuf,
    ],
    exclude: ["Fixtures"]),
  tests(
    "ComandaCodeGenTests",
    [
      "ComandaCodeGen", "ComandaProtos", "ComandaRPC", "ComandaTestRun", "protoc-gen-comanda", nioCore, protobuf,
      protobufPlugin, protocGenSwift,
    ],
    exclude: ["Golden/proto"]),
]

/// The fuzzer links a library that only `-sanitize=fuzzer` brings, so it is there for `deploy/fuzz` alone.
let fuzzers: [Target] =
  Context.environment["COMANDA_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "comanda-fuzz", dependencies: ["ComandaWireTestKit", nioCore], path: "Tests/ComandaFuzz",
      swiftSettings: settings)
  ]

let package = Package(
  name: "comanda",
  products: [
    .executable(name: "comanda-server", targets: ["comanda-server"]),
    .executable(name: "comanda", targets: ["comanda"]),
    .executable(name: "comanda-bench", targets: ["comanda-bench"]),
    .executable(name: "comanda-conformance", targets: ["comanda-conformance"]),
    .library(name: "ComandaClient", targets: ["ComandaClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: systemLibraries + cTargets + libraries + executables + testTargets + fuzzers
)
