import JailDigest
public import JailModel

extension Policy {
    /// The effective value of a key in the form of the file format; `nil` where the key is not set and has no default.
    func value(of key: PolicyKey) -> JSONValue? {
        switch key {
        case .version: .integer(1)
        case .extends: nil
        case .profile: .string(profile.rawValue)
        case .overridable: .bool(isOverridable)
        case .workspaceMode: .string(workspace.mode.rawValue)
        case .workspaceWrite: .strings(workspace.write.map(\.canonicalText))
        case .workspaceProtect: .strings(workspace.protect.map(\.canonicalText))
        case .workspaceScratch: .strings(workspace.scratch.map(\.canonicalText))
        case .workspaceUntrusted: .strings(workspace.untrusted.map(\.canonicalText))
        case .workspaceHandoff: .strings(workspace.handoff.map(\.rawValue))
        case .workspaceOnPass: .string(workspace.onPass.rawValue)
        case .workspaceOnFail: .string(workspace.onFail.rawValue)
        case .filesystemRead: .strings(filesystem.read.map(\.description))
        case .filesystemWrite: .strings(filesystem.write.map(\.description))
        case .filesystemHide: .strings(filesystem.hide.map(\.description))
        case .filesystemTmp: Self.number(filesystem.tmp.value)
        case .networkMode: .string(network.mode.rawValue)
        case .networkAllow: .array(network.allow.map(\.value))
        case .networkAllowlistFile: network.allowlistFile.map(JSONValue.string)
        case .networkOnDenied: .string(network.onDenied.rawValue)
        case .execWorkspace: .string(exec.workspace.rawValue)
        case .execAllow: exec.allow.map { .array($0.map(\.value)) }
        case .execLedger: .string(exec.ledger.rawValue)
        case .environmentPass: .strings(environment.pass.map(\.text))
        case .environmentSet:
            .object(Dictionary(uniqueKeysWithValues: environment.set.map { ($0.key.text, .string($0.value)) }))
        case .secretsHold: .strings(secrets.hold.map(\.text))
        case .secretsInject: .array(secrets.inject.map(\.json))
        case .secretsScan: .strings(secrets.scan.map(\.rawValue))
        case .gateway: .array(gateways.map(\.value))
        case .maxRuntime, .maxCPU, .maxMemory, .maxProcesses, .maxOpenFiles, .maxOutput, .maxBytesWritten,
            .maxFilesChanged, .maxLinesPerFile, .maxFileWrites, .maxPatchAttempts, .maxLLMCalls, .maxLLMTokens,
            .maxConnections, .maxEgress, .maxDenials:
            key.budget.flatMap { budgets[$0] }.map(Self.number)
        case .breakerFailures: .integer(Int64(breaker.failures))
        case .breakerCooldown: .integer(Int64(breaker.cooldownSeconds))
        case .inputs: .array(inputs.map(\.value))
        case .require: .array(require.map(\.value))
        }
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }

    /// The effective policy, complete and in one form: equal grants give equal values.
    ///
    /// Lists whose order means nothing are sorted and hold each element once. The name and the places of keys are not
    /// part of it.
    public func canonical() -> JSONValue {
        var top: [String: JSONValue] = [:]
        var sections: [String: [String: JSONValue]] = [:]
        for key in PolicyKey.allCases {
            guard let value = value(of: key).map(Self.sorted) else { continue }
            if key.section.isEmpty {
                top[key.leaf] = value
            } else {
                sections[key.section, default: [:]][key.leaf] = value
            }
        }
        for (section, members) in sections { top[section] = .object(members) }
        return .object(top)
    }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        guard case .array(let elements) = value else { return value }
        let keyed = elements.map { (element: $0, bytes: $0.encoded()) }
        var out: [(element: JSONValue, bytes: [UInt8])] = []
        for item in keyed.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) })
        where out.last?.bytes != item.bytes {
            out.append(item)
        }
        return .array(out.map(\.element))
    }

    /// The digest of ``canonical()`` in its compact form: what reports call the policy's SHA-256.
    public var digest: SHA256Value { SHA256Value.of(canonical().encoded()) }
}

extension EgressRule {
    fileprivate var value: JSONValue {
        if kind == nil && sni == .required && !allowsPrivate { return .string(text) }
        var members: [String: JSONValue] = ["host": .string(host.canonicalText)]
        if let port { members["port"] = .integer(Int64(port)) }
        if let kind { members["kind"] = .string(kind.rawValue) }
        if sni != .required { members["sni"] = .string(sni.rawValue) }
        if allowsPrivate { members["private"] = true }
        return .object(members)
    }
}

extension ExecRule {
    fileprivate var value: JSONValue {
        guard case .pinned(_, let digest) = self else { return .string(pathText) }
        return ["path": .string(pathText), "sha256": .string(digest.hex)]
    }
}

extension SecretInjection {
    fileprivate var json: JSONValue { ["host": .string(host), "header": .string(header), "value": .string(value)] }
}

extension GatewayRoute {
    fileprivate var value: JSONValue {
        ["name": .string(name), "upstream": .string(upstream), "env": .string(env.text)]
    }
}

extension PinnedInput {
    fileprivate var value: JSONValue {
        switch pin {
        case .sha256(let digest): ["path": .string(path), "sha256": .string(digest.hex)]
        case .gitRef(let ref): ["path": .string(path), "git_ref": .string(ref)]
        }
    }
}

extension Requirement {
    fileprivate var value: JSONValue {
        if self == Requirement(guarantee: guarantee) { return .string(guarantee.rawValue) }
        return [guarantee.rawValue: .string(level.rawValue)]
    }
}
