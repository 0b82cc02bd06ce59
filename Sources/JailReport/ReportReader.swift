import JailModel

/// A value inside a report that knows its own place, so that an error can name it.
struct ReportReader {
    private let value: JSONValue
    private let key: String

    init(_ value: JSONValue, key: String = "") {
        self.value = value
        self.key = key
    }

    /// An object inside this one.
    subscript(name: String) -> ReportReader {
        get throws(ReportError) {
            let inner = try member(name)
            guard case .object = inner else { throw error(name, "not an object") }
            return ReportReader(inner, key: path(name))
        }
    }

    func text(_ name: String) throws(ReportError) -> String {
        guard case .string(let text) = try member(name) else { throw error(name, "not a text") }
        return text
    }

    /// A text that may be absent or null.
    func optionalText(_ name: String) throws(ReportError) -> String? {
        switch value[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw error(name, "neither a text nor null")
        }
    }

    func number(_ name: String) throws(ReportError) -> Int64 {
        guard case .integer(let number) = try member(name) else { throw error(name, "not an integer") }
        return number
    }

    /// A number that may be absent or null.
    func optionalNumber(_ name: String) throws(ReportError) -> Int64? {
        switch value[name] {
        case nil, .null?: return nil
        case .integer(let number)?: return number
        default: throw error(name, "neither an integer nor null")
        }
    }

    /// A decimal of seconds, in microseconds.
    func microseconds(_ name: String) throws(ReportError) -> Int64 {
        switch try member(name) {
        case .integer(let seconds) where seconds.magnitude < 1 << 40: return seconds * 1_000_000
        case .decimal(let units, 6): return units
        default: throw error(name, "not a number of seconds with six places")
        }
    }

    func flag(_ name: String) throws(ReportError) -> Bool {
        guard case .bool(let flag) = try member(name) else { throw error(name, "neither true nor false") }
        return flag
    }

    func texts(_ name: String) throws(ReportError) -> [String] {
        var found: [String] = []
        for (index, element) in try list(name).enumerated() {
            guard case .string(let text) = element else { throw error("\(name)[\(index)]", "not a text") }
            found.append(text)
        }
        return found
    }

    /// One of a closed set of words.
    func choice<Choice: RawRepresentable<String>>(_ name: String) throws(ReportError) -> Choice {
        let text = try text(name)
        guard let choice = Choice(rawValue: text) else {
            throw error(name, "`\(SafeText.escape(text))` is unknown here")
        }
        return choice
    }

    func elements<Element>(
        _ name: String, _ make: (ReportReader) throws(ReportError) -> Element
    ) throws(ReportError) -> [Element] {
        var found: [Element] = []
        for (index, element) in try list(name).enumerated() {
            found.append(try make(ReportReader(element, key: path("\(name)[\(index)]"))))
        }
        return found
    }

    private func list(_ name: String) throws(ReportError) -> [JSONValue] {
        guard case .array(let elements) = try member(name) else { throw error(name, "not a list") }
        return elements
    }

    private func member(_ name: String) throws(ReportError) -> JSONValue {
        guard let inner = value[name] else { throw error(name, "absent") }
        return inner
    }

    private func path(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    private func error(_ name: String, _ reason: String) -> ReportError {
        ReportError(key: path(name), reason: reason)
    }
}

extension ReportDocument.Command {
    init(_ reader: ReportReader) throws(ReportError) {
        argv = try reader.texts("argv")
        cwd = try reader.text("cwd")
        executable = try reader.text("executable")
        sha256 = try reader.text("sha256")
    }
}

extension ReportDocument.Child {
    init(_ reader: ReportReader) throws(ReportError) {
        isStarted = try reader.flag("started")
        exitCode = try reader.optionalNumber("exit_code")
        signal = try reader.optionalNumber("signal")
        orphansKilled = try reader.number("orphans_killed")
    }
}

extension ReportDocument.Outcome {
    init(_ reader: ReportReader) throws(ReportError) {
        step = try reader.text("step")
        message = try reader.text("message")
        hint = try reader.text("hint")
    }
}

extension ReportDocument.Used {
    private static let countKeys = [
        "output_bytes", "bytes_written", "files_changed", "file_writes", "connections", "egress_bytes", "llm_calls",
        "llm_tokens", "denials", "execs",
    ]

    init(_ reader: ReportReader) throws(ReportError) {
        wall = try reader.microseconds("wall_s")
        cpu = try reader.microseconds("cpu_s")
        cpuMeter = try reader.text("cpu_meter")
        memory = try reader.number("max_rss_bytes")
        memoryMeter = try reader.text("memory_meter")
        var found: [String: Int64] = [:]
        for key in Self.countKeys { found[key] = try reader.number(key) }
        counts = found
    }
}

extension ReportDocument.Gate {
    init(_ reader: ReportReader) throws(ReportError) {
        name = try reader.choice("name")
        status = try reader.choice("status")
        enforcement = try reader.choice("enforcement")
        mechanisms = try reader.texts("mechanisms")
        reason = try reader.text("reason")
        issues = try reader.texts("issues")
        evidence = try reader.texts("evidence")
    }
}

extension ReportDocument.ReportedIssue {
    init(_ reader: ReportReader) throws(ReportError) {
        id = try reader.text("issue_id")
        gate = try reader.choice("gate")
        severity = try reader.choice("severity")
        code = try reader.text("error_code")
        message = try reader.text("message")
        suggestedFix = try reader.text("suggested_fix")
    }
}

extension ReportDocument.ReportedDenial {
    init(_ reader: ReportReader) throws(ReportError) {
        kind = try reader.choice("kind")
        subject = try reader.text("subject")
        count = try reader.number("count")
        rule = try reader.text("rule")
        remedy = try reader.text("remedy")
    }
}

extension ReportDocument.Canary {
    init(_ reader: ReportReader) throws(ReportError) {
        name = try reader.text("name")
        isDenied = try reader.flag("denied")
    }
}

extension ReportDocument.Host {
    init(_ reader: ReportReader) throws(ReportError) {
        kernel = try reader.text("kernel")
        arch = try reader.text("arch")
        tier = try reader.choice("tier")
        landlockABI = try reader.number("landlock_abi")
    }
}
