// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 mode, and a warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// The targets that hand pointers to C also mark each such expression `unsafe`.
let strictMemory: [SwiftSetting] = strict + [.strictMemorySafety()]

let strictC: [CSetting] = [
    .unsafeFlags([
        "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes",
        "-Wmissing-prototypes", "-Werror", "-fstack-protector-strong",
    ])
]

// jail-init has no libc and no Swift runtime: docs/decisions/003-freestanding-init.md.
let freestandingC: [CSetting] = [
    .unsafeFlags([
        "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes",
        "-Wmissing-prototypes", "-Werror", "-O2", "-ffreestanding", "-fno-stack-protector",
        "-fno-asynchronous-unwind-tables", "-fno-builtin", "-fomit-frame-pointer", "-U_FORTIFY_SOURCE",
    ])
]
let freestandingLink: [LinkerSetting] = [
    .unsafeFlags([
        "-static-stdlib", "-nostartfiles",
        "-Xclang-linker", "-Wno-unused-command-line-argument", "-Xclang-linker", "-nostdlib", "-Xclang-linker",
        "-static", "-Xclang-linker", "-no-pie",
    ])
]

let package = Package(
    name: "launch-jail",
    products: [
        .executable(name: "launch-jail", targets: ["launch-jail"]),
        .executable(name: "jail-init", targets: ["jail-init"]),
        .library(name: "JailKit", targets: ["JailKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // The kernel boundary.
        .target(name: "CJailABI", cSettings: strictC),
        .target(
            name: "CJail", dependencies: ["CJailABI"], cSettings: strictC,
            linkerSettings: [.linkedLibrary("seccomp"), .linkedLibrary("cap")]),
        .executableTarget(
            name: "jail-init", dependencies: ["CJailABI"], cSettings: freestandingC, linkerSettings: freestandingLink),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // Values and pure functions.
        .target(name: "JailModel", swiftSettings: strict),
        .target(
            name: "JailDigest", dependencies: ["JailModel", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "JailPolicy", dependencies: ["CLibYAML", "JailModel", "JailDigest"], swiftSettings: strict),
        .target(
            name: "JailPlan", dependencies: ["CJailABI", "JailModel", "JailDigest", "JailPolicy"],
            swiftSettings: strict),
        .target(name: "JailDiff", dependencies: ["JailModel", "JailDigest"], swiftSettings: strict),
        .target(name: "JailGates", dependencies: ["JailModel"], swiftSettings: strict),
        .target(name: "JailReport", dependencies: ["JailModel"], swiftSettings: strict),

        // The operating system.
        .target(name: "JailSystem", dependencies: ["CJail", "JailModel"], swiftSettings: strictMemory),
        .target(
            name: "JailLaunch",
            dependencies: [
                "CJail", "CJailABI", "JailModel", "JailDigest", "JailSystem", "JailPolicy", "JailPlan", "JailWorkspace",
            ],
            swiftSettings: strictMemory),
        .target(
            name: "JailLedger", dependencies: ["JailModel", "JailDigest", "JailSystem"], swiftSettings: strictMemory),

        .target(
            name: "JailWorkspace", dependencies: ["JailModel", "JailDigest", "JailDiff", "JailSystem"],
            swiftSettings: strict),

        // The straight line, and its command line.
        .target(
            name: "JailKit",
            dependencies: [
                "JailModel", "JailDigest", "JailSystem", "JailPolicy", "JailPlan", "JailLaunch", "JailGates",
                "JailLedger", "JailReport", "JailWorkspace", "JailDiff",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "launch-jail",
            dependencies: [
                "JailKit", "JailLedger", "JailModel", "JailPolicy", "JailPlan", "JailReport", "JailSystem",
                "JailWorkspace",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .testTarget(name: "JailModelTests", dependencies: ["JailModel", "JailDigest"], swiftSettings: strict),
        .testTarget(
            name: "JailPolicyTests", dependencies: ["JailModel", "JailDigest", "JailPolicy"], exclude: ["Samples"],
            swiftSettings: strict),
        .target(
            name: "JailTestSupport", dependencies: ["JailModel"], path: "Tests/JailTestSupport", swiftSettings: strict),
        .testTarget(
            name: "JailGatesTests", dependencies: ["JailModel", "JailGates", "JailTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "JailReportTests",
            dependencies: ["JailModel", "JailDigest", "JailGates", "JailReport", "JailTestSupport"],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "JailLedgerTests", dependencies: ["JailModel", "JailDigest", "JailSystem", "JailLedger"],
            swiftSettings: strict),
        .testTarget(
            name: "JailSystemTests", dependencies: ["CJail", "JailModel", "JailSystem"], swiftSettings: strict),

        .testTarget(
            name: "JailDiffTests", dependencies: ["JailModel", "JailDigest", "JailDiff", "RunSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "JailWorkspaceTests",
            dependencies: ["CTestSupport", "JailModel", "JailDigest", "JailDiff", "JailSystem", "JailWorkspace"],
            swiftSettings: strict),

        .testTarget(
            name: "JailPlanTests", dependencies: ["JailModel", "JailPolicy", "JailPlan"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "JailLaunchTests", dependencies: ["JailModel", "JailPolicy", "JailPlan", "JailLaunch"],
            swiftSettings: strict),

        .testTarget(
            name: "JailKitTests",
            dependencies: [
                "JailKit", "JailModel", "JailPolicy", "JailPlan", "JailSystem", "JailWorkspace", "JailTestSupport",
            ],
            swiftSettings: strict),

        // Black box: these run the built program and the compiled probes, and link nothing of it.
        .target(name: "CTestSupport", path: "Tests/CSupport", cSettings: strictC),
        .target(name: "RunSupport", dependencies: ["CTestSupport"], path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "KernelTests", dependencies: ["RunSupport"], swiftSettings: strict),
        .testTarget(name: "EscapeTests", dependencies: ["RunSupport"], swiftSettings: strict),
    ],
    cLanguageStandard: .c17
)
