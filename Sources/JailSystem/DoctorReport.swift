public import JailModel

/// What a guarantee would rest on here.
public enum GuaranteeOutlook: Sendable, Hashable {
    /// This version enforces it so.
    case enforced(EnforcementClaim)
    /// This version does not judge it; what brings it.
    case later(String)
}

/// A cause for a missing feature and what to do about it.
public struct Remedy: Sendable, Hashable {
    /// What was seen.
    public let symptom: String
    /// Why, in one sentence.
    public let cause: String
    /// What can be done, one alternative each; commands are given as they are typed.
    public let steps: [String]
    /// What that would bring.
    public let gain: String
}

/// The doctor's judgement: a pure function of what was seen.
public struct DoctorReport: Sendable, Hashable {
    public let findings: DoctorFindings
    /// `nil`: nothing can be run here.
    public let tier: Tier?
    public let guarantees: [Guarantee: GuaranteeOutlook]
    public let remedies: [Remedy]

    public init(_ findings: DoctorFindings) {
        self.findings = findings
        tier = findings.tier
        let claims = DoctorClaims(findings: findings)
        guarantees = Dictionary(
            Guarantee.allCases.map { ($0, claims.outlook($0)) }, uniquingKeysWith: { first, _ in first })
        remedies = DoctorRemedies(findings: findings).all
    }

    /// The report as `doctor --json` prints it.
    public var json: JSONValue {
        .object([
            "schema": "launch-jail/doctor/v1",
            "host": .object([
                "kernel": .string(findings.settings.kernel), "arch": .string(findings.settings.arch),
                "uid": .integer(Int64(findings.settings.uid)), "landlock_abi": .integer(Int64(findings.landlockABI)),
            ]),
            "tier": tier.map { .string($0.rawValue) } ?? .null,
            "probes": .array(ProbeName.allCases.compactMap { findings.results[$0] }.map(Self.json)),
            "settings": settingsJSON,
            "guarantees": .object(
                Dictionary(
                    guarantees.map { ($0.key.rawValue, Self.json($0.key, $0.value)) },
                    uniquingKeysWith: { first, _ in first })),
            "remedies": .array(
                remedies.map {
                    .object([
                        "symptom": .string($0.symptom), "cause": .string($0.cause), "steps": .strings($0.steps),
                        "gain": .string($0.gain),
                    ])
                }),
        ])
    }

    private var settingsJSON: JSONValue {
        let settings = findings.settings
        func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
        let groups: JSONValue
        switch settings.cgroup {
        case .none: groups = .object(["version": .null, "controllers": []])
        case .v1(let directories):
            groups = .object(["version": 1, "controllers": .strings(directories.keys.sorted())])
        case .v2(_, let controllers): groups = .object(["version": 2, "controllers": .strings(controllers.sorted())])
        }
        return .object([
            "masked_proc": .strings(settings.maskedProc), "seccomp_mode": number(settings.seccompMode),
            "apparmor_restrict_unprivileged_userns": number(settings.appArmorRestrictsUserNamespaces),
            "unprivileged_userns_clone": number(settings.unprivilegedUserNamespaces),
            "max_user_namespaces": number(settings.maxUserNamespaces), "yama_ptrace_scope": number(settings.yamaScope),
            "legacy_tiocsti": number(settings.legacyTIOCSTI), "memfd_noexec": number(settings.memfdNoexec),
            "perf_event_paranoid": number(settings.perfParanoid), "cgroup": groups,
        ])
    }

    private static func json(_ result: ProbeResult) -> JSONValue {
        .object([
            "name": .string(result.name.rawValue), "operation": .string(result.name.operation),
            "ok": .bool(result.isOK),
            "errno": result.isOK ? .null : .string(Errno.name(result.errno)),
            "failed_call": result.isOK ? .null : .string(SafeText.escape(result.step)), "value": .integer(result.value),
        ])
    }

    private static func json(_ guarantee: Guarantee, _ outlook: GuaranteeOutlook) -> JSONValue {
        switch outlook {
        case .enforced(let claim):
            .object([
                "id": .string(guarantee.letter), "enforcement": .string(claim.level.rawValue),
                "mechanisms": .strings(claim.mechanisms), "gaps": .strings(claim.gaps),
            ])
        case .later(let what):
            .object([
                "id": .string(guarantee.letter), "enforcement": "none", "mechanisms": [], "gaps": [],
                "later": .string(what),
            ])
        }
    }
}
