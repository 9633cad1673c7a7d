// swift-tools-version: 6.2
import PackageDescription

// The house plan: targets from the bottom floor up. A target depends on lower floors only; `LayeringTests` proves it.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error), .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault")
]
// Kernels run at speed in debug builds too; contraction is off so that a scalar twin rounds as it is written.
let kernelFlags: [CSetting] = [.unsafeFlags(["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"])]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A test target; `data` are files beside the code that tests read where they lie.
func test(_ module: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.target(name: module), "TestSupport"] + dependencies,
        path: "Tests/\(module)Tests", exclude: data)
}

let package = Package(
    name: "narrator",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0")
    ],
    targets: [
        // Floor 0: C kernels and system libraries
        .target(name: "CKernels", cSettings: kernelFlags),
        .systemLibrary(name: "CALSA"),
        .systemLibrary(name: "CJPEG"),
        .systemLibrary(name: "CSndfile"),
        .systemLibrary(name: "CSoxr"),
        .systemLibrary(name: "CV4L2"),

        // Floor 1: values, arithmetic, text
        .target(name: "Media"),
        .target(name: "Kernels", dependencies: ["CKernels"]),
        .target(name: "Tokenizers"),
        .target(
            name: "CShims", dependencies: ["CALSA", "CJPEG", "CV4L2"],
            // C alone includes jpeg's header, and C does not link by module maps.
            linkerSettings: [.linkedLibrary("asound"), .linkedLibrary("jpeg"), .linkedLibrary("v4l2")]),

        // Floor 2: devices, signal, checkpoints, graph, events, model store
        .target(name: "Capture", dependencies: ["Media", "CShims", "CALSA", "CSndfile", "CV4L2"]),
        .target(name: "Signal", dependencies: ["Media", "Kernels", "CShims", "CSoxr"]),
        .target(name: "Weights", dependencies: ["Kernels", "CShims"]),
        .target(name: "Graph", dependencies: ["Media", yams]),
        .target(name: "Events", dependencies: ["Media"]),
        .target(name: "Catalog", dependencies: [crypto]),

        // Floor 3: what models and servers share
        .target(name: "EventServer", dependencies: ["Events", "CShims", logging, nioCore, nioPosix]),
        .target(name: "Speech", dependencies: ["Media"]),
        .target(name: "Scenes", dependencies: ["Media"]),
        .target(name: "Layers", dependencies: ["Kernels"]),

        // Floor 4: models
        .target(
            name: "Whisper",
            dependencies: ["Layers", "Speech", "Signal", "Weights", "Kernels", "Media", "Tokenizers"]),
        .target(name: "Silero", dependencies: ["Layers", "Weights", "Kernels"]),
        .target(name: "EfficientNet", dependencies: ["Layers", "Signal", "Weights", "Kernels", "Media"]),
        .target(
            name: "Gemma", dependencies: ["Layers", "Speech", "Signal", "Weights", "Kernels", "Media", "Tokenizers"]),

        // Floor 5: adapters between graph, capture, signal and models
        .target(
            name: "Stages",
            dependencies: [
                "Whisper", "Gemma", "Silero", "EfficientNet", "Speech", "Scenes", "Capture", "Signal", "Layers",
                "Weights",
                "Graph", "Events", "Kernels", "Media"
            ]),

        // Floor 6: the daemon
        .target(
            name: "Daemon",
            dependencies: [
                "Stages", "Speech", "Scenes", "Signal", "EventServer", "Graph", "Events", "Catalog", "Capture",
                "Weights", "CShims", "Kernels", "Media", logging,
                serviceLifecycle, unixSignals
            ]),

        // Floor 7: the command line
        .executableTarget(
            name: "narrator",
            dependencies: [
                "Daemon", "Stages", "EventServer", "Graph", "Events", "Catalog", "Capture", "Speech", "Scenes",
                "Signal",
                "Whisper", "Silero", "EfficientNet", "Gemma", "Layers", "Tokenizers", "Weights", "Kernels", "Media",
                argumentParser, logging
            ]),

        // Tests
        .target(name: "TestSupport", dependencies: ["Media", "Kernels"], path: "Tests/Support"),
        .testTarget(name: "LayeringTests", path: "Tests/LayeringTests"),
        .testTarget(
            name: "CommandLineTests", dependencies: ["TestSupport"], path: "Tests/CommandLineTests",
            exclude: ["measure.py", "subscriber.py"]),
        test("Media"),
        test("Kernels", ["CKernels"]),
        test(
            "Tokenizers", ["Weights"],
            data: [
                "Golden", "make_goldens.py", "make_gemma_goldens.py", "make_gemma_vocabulary_goldens.py",
                "pull_vocabulary.py"
            ]),
        test("Capture", ["Media"]),
        test("Signal", ["Media"], data: ["Golden"]),
        test("Weights", ["Kernels"], data: ["Golden", "make_gguf_goldens.py"]),
        test("Graph", ["Media"], data: ["Broken"]),
        test("Events", ["Media"]),
        test("Catalog", [crypto], data: ["web_fixture.py", "hub_fixture.py", "wheel_fixture.py"]),
        test("EventServer", ["Events"]),
        test("Speech", ["Media"]),
        test("Scenes", ["Media"]),
        test("Layers", ["Kernels"]),
        test("Whisper", ["Kernels", "Media", "Speech", "Tokenizers", "Weights"], data: ["Golden", "make_goldens.py"]),
        test("Silero", ["Kernels", "Weights"], data: ["Golden"]),
        test("EfficientNet", ["Kernels", "Signal", "Weights"], data: ["Golden", "make_goldens.py"]),
        test(
            "Stages",
            ["EfficientNet", "Gemma", "Graph", "Events", "Kernels", "Media", "Scenes", "Signal", "Speech", "Weights"]),
        test("Daemon", ["EventServer", "Graph", "Events", "Kernels", "Media", "Scenes", "Signal", "Stages"]),
        test(
            "Gemma", ["Kernels", "Layers", "Signal", "Tokenizers", "Weights"],
            data: ["Golden", "make_goldens.py", "make_audio_goldens.py", "make_vision_goldens.py"])
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// Tests of these modules look inside them, also in release configuration; none has a hot loop.
let openedToTests: Set<String> = ["Capture", "Catalog", "EventServer", "Graph", "Weights"]
let enableTesting: [SwiftSetting] = [.unsafeFlags(["-enable-testing"], .when(configuration: .release))]

let cTargets: Set<String> = ["CKernels", "CShims"]
for target in package.targets where target.type != .system && !cTargets.contains(target.name) {
    target.swiftSettings = strict + (openedToTests.contains(target.name) ? enableTesting : [])
}
