import JailModel

/// Whether a key is enforced by this version.
enum KeyStatus: Sendable, Hashable {
    case enforced
    /// Some or all of its values are refused with exit 6; the words say which and why.
    case deferred(String)
}

/// One row of the key table.
struct KeySpec: Sendable {
    let key: PolicyKey
    let shape: KeyShape
    /// One or two sentences for the reference and the schema.
    let summary: String
    /// A value as YAML.
    let example: String

    init(_ key: PolicyKey, _ shape: KeyShape, _ summary: String, example: String) {
        self.key = key
        self.shape = shape
        self.summary = summary
        self.example = example
    }

    var status: KeyStatus { Deferral.words(key).map(KeyStatus.deferred) ?? .enforced }

    /// The built-in value as YAML, when there is one.
    var defaultText: String? {
        Policy.builtIn.value(of: key).map { PolicyYAML.flow($0, shape: shape) }
    }
}

/// The key table: unknown keys, the reference and the JSON Schema derive from it.
enum PolicyKeys {
    static let table: [KeySpec] = general + workspace + filesystem + network + commands + budgets + rest

    /// The row of each key.
    static let byKey: [PolicyKey: KeySpec] = Dictionary(
        table.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// Every key path, those of mappings inside lists too (`network.allow[].host`), in the order of the table.
    static var paths: [String] {
        table.flatMap { spec in [spec.key.path] + spec.shape.fields.map { "\(spec.key.path)[].\($0.name)" } }
    }

    private static func words<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> KeyShape
    where Word.RawValue == String {
        .word(type.allCases.map(\.rawValue))
    }

    private static let patterns = KeyShape.list(.text(.pathPattern))

    // MARK: top level

    private static let general: [KeySpec] = [
        KeySpec(.version, .integer(1...1), "The version of the file format.", example: "1"),
        KeySpec(
            .extends, .text(.reference),
            """
            The policy that this one starts from: a shipped name, or a file relative to this one. Every key that is \
            set here replaces the parent's value of that key, lists and `env.set` as a whole. Narrowing is always \
            allowed; widening only where the parent is `overridable`.
            """, example: "ci"),
        KeySpec(
            .profile, words(Profile.self),
            "Where runs take place, which decides how strictly what could not be judged counts.", example: "ci"),
        KeySpec(
            .overridable, .boolean,
            "Whether flags of the command line and policies that extend this one may add to what it grants.",
            example: "false"),
    ]

    // MARK: workspace and filesystem

    private static let workspace: [KeySpec] = [
        KeySpec(
            .workspaceMode, words(WorkspaceMode.self),
            "How writes reach the workspace: `direct` at once, `readonly` never, `overlay` after the verdict.",
            example: "readonly"),
        KeySpec(
            .workspaceWrite, patterns, "What may change. An empty list: nothing.", example: #"["src/**", "docs/*.md"]"#),
        KeySpec(
            .workspaceProtect, patterns,
            "What never changes, even where `write` allows it and even if it does not exist yet.",
            example: #"[".git/hooks", ".git/config"]"#),
        KeySpec(
            .workspaceScratch, patterns, "Writable, thrown away after the run, not part of the change set.",
            example: #"[".build"]"#),
        KeySpec(
            .workspaceUntrusted, patterns, "May be read, is never executed from and never a working directory.",
            example: #"["work/repo"]"#),
        KeySpec(
            .workspaceHandoff, .list(words(HandoffClass.self)),
            """
            Kinds of files that the step may change although they make something run outside the jail later. Without \
            its word here such a change is a violation; of `agent_instructions` and `build_scripts` it is a warning.
            """, example: "[ci_workflows, build_scripts]"),
        KeySpec(
            .workspaceOnPass, words(Disposition.self), "What becomes of the changes when the verdict is a pass.",
            example: "commit"),
        KeySpec(
            .workspaceOnFail, words(Disposition.self), "What becomes of the changes when it is not.", example: "keep"),
    ]

    private static let filesystem: [KeySpec] = [
        KeySpec(
            .filesystemRead, .list(.text(.readablePath)),
            """
            Files and trees outside the workspace that exist in the jail, read-only; what is listed nowhere does not \
            exist there. A path that the host does not have is skipped.
            """, example: #"["/usr", "/bin", "/lib", "/lib64", "/etc"]"#),
        KeySpec(
            .filesystemWrite, .list(.text(.readablePath)),
            "Files and trees outside the workspace that are written through. Nothing in them can be executed.",
            example: #"["/var/cache/agent"]"#),
        KeySpec(
            .filesystemHide, .list(.text(.absolutePath)), "What is masked below `read`.",
            example: #"["/etc/shadow"]"#),
        KeySpec(.filesystemTmp, .size(4096...maximumSize), "The size of the private `/tmp`.", example: "256MiB"),
    ]

    // MARK: network

    private static let network: [KeySpec] = [
        KeySpec(
            .networkMode, words(NetworkModeName.self),
            """
            `none`: an empty network. `allowlist`: the hosts of `allow` and nothing else. `host`: the network of the \
            host, reported as not enforced.
            """, example: "none"),
        KeySpec(
            .networkAllow,
            .list(
                .either([
                    .text(.hostAndPort),
                    .fields([
                        FieldSpec(
                            "host", .text(.host), required: true,
                            "Name, address, or `*.domain` for every name below a domain but not the domain itself."),
                        FieldSpec("port", .integer(1...65535), "Without it: 443 as tls and 80 as http."),
                        FieldSpec(
                            "kind", words(EgressRule.Kind.self), "Without it: tls on 443, http on 80, tcp elsewhere."),
                        FieldSpec(
                            "sni", words(EgressRule.SNI.self),
                            "Whether a TLS client must name the host; `required` without it."),
                        FieldSpec("private", .boolean, "Whether the name may stand for a private address."),
                    ]),
                ])),
            """
            Hosts that may be reached. Names are compared in lower case and in their `xn--` form, without a trailing \
            dot. `localhost` and loopback addresses need a port outside the profile `local`.
            """, example: #"["api.github.com:443", "*.example.com", {host: db.internal, port: 5432, private: true}]"#),
        KeySpec(
            .networkAllowlistFile, .text(.relativePath),
            "A file of the workspace with `allowed_hosts: [...]`, added to `allow`.",
            example: "config/network_allowlist.yaml"),
        KeySpec(
            .networkOnDenied, words(DeniedAction.self),
            "Whether a connection that was refused fails the gate or only warns.", example: "warn"),
    ]

    // MARK: what runs, and with what

    private static let commands: [KeySpec] = [
        KeySpec(
            .execWorkspace, words(Permission.self),
            "Whether files of the workspace may be executed; the untrusted ones never.", example: "allow"),
        KeySpec(
            .execAllow,
            .list(
                .either([
                    .text(.executable),
                    .fields([
                        FieldSpec("path", .text(.executable), required: true, "The file."),
                        FieldSpec("sha256", .text(.sha256), required: true, "The digest that it must have."),
                    ]),
                ])),
            "What may be executed. Without this key: everything that `filesystem.read` shows. An empty list: nothing.",
            example: #"["/usr/bin/**", "/bin/**", "/usr/lib/**"]"#),
        KeySpec(
            .execLedger, words(ExecLedgerMode.self),
            "Whether executions are recorded, and whether a gap in the record fails the run.", example: "log"),
        KeySpec(
            .environmentPass, .list(.text(.environmentName)),
            "Variables that the command gets from the environment of launch-jail when they are set there.",
            example: "[LANG, TERM]"),
        KeySpec(
            .environmentSet, .dictionary(keys: .environmentName, values: .environmentValue),
            "Variables that the command gets with these values, whatever `pass` says.",
            example: #"{PYTHONHASHSEED: "0"}"#),
        KeySpec(
            .secretsHold, .list(.text(.environmentName)),
            "Variables that launch-jail knows, redacts everywhere and never puts into the jail.",
            example: "[OPENAI_API_KEY]"),
        KeySpec(
            .secretsInject,
            .list(
                .fields([
                    FieldSpec("host", .text(.hostName), required: true, "The host whose requests get the header."),
                    FieldSpec("header", .text(.headerName), required: true, "The name of the header."),
                    FieldSpec(
                        "value", .text(.headerValue), required: true,
                        "Its value; every `${NAME}` must stand in `secrets.hold`."),
                ])),
            "Headers that launch-jail adds outside the jail.",
            example: #"[{host: api.openai.com, header: Authorization, value: "Bearer ${OPENAI_API_KEY}"}]"#),
        KeySpec(
            .secretsScan, .list(words(ScanTarget.self)), "Where leaked secrets are looked for.",
            example: "[stdout, stderr, changes, egress]"),
        KeySpec(
            .gateway,
            .list(
                .fields([
                    FieldSpec("name", .text(.routeName), required: true, "A name of your own."),
                    FieldSpec("upstream", .text(.url), required: true, "The real endpoint."),
                    FieldSpec("env", .text(.environmentName), required: true, "The variable that gets the inner URL."),
                ])),
            "LLM endpoints that are metered per call and per token.",
            example: #"[{name: openai, upstream: "https://api.openai.com/v1", env: OPENAI_BASE_URL}]"#),
    ]

    // MARK: budgets

    /// The largest number of bytes: what a signed 64-bit integer holds, as JSON and the kernel have it.
    static let maximumSize = UInt64(Int64.max)
    private static let counts: ClosedRange<UInt64> = 0...1_000_000_000_000
    private static let seconds: ClosedRange<UInt64> = 1...1_000_000_000

    private static let budgets: [KeySpec] = [
        KeySpec(.maxRuntime, .duration(seconds), "Wall time of a step, by a monotonic clock.", example: "10m"),
        KeySpec(.maxCPU, .duration(seconds), "CPU time of the whole process tree.", example: "1h30m"),
        KeySpec(.maxMemory, .size((1 << 20)...maximumSize), "Memory of the whole process tree.", example: "4GiB"),
        KeySpec(.maxProcesses, .integer(1...4_194_304), "Processes and threads at one time.", example: "256"),
        KeySpec(.maxOpenFiles, .integer(3...1_048_576), "Open files of one process.", example: "1024"),
        KeySpec(.maxOutput, .size(0...maximumSize), "Bytes of standard output and standard error.", example: "64MiB"),
        KeySpec(
            .maxBytesWritten, .size(0...maximumSize), "Bytes of new and modified files as they stand at the end.",
            example: "1GiB"),
        KeySpec(.maxFilesChanged, .integer(counts), "Changed paths that are not directories.", example: "100"),
        KeySpec(.maxLinesPerFile, .integer(counts), "Lines added and removed in one file.", example: "500"),
        KeySpec(
            .maxFileWrites, .integer(counts), "Files created or modified, each time a step did so.", example: "100"),
        KeySpec(.maxPatchAttempts, .integer(counts), "Steps that are labelled as patch attempts.", example: "5"),
        KeySpec(.maxLLMCalls, .integer(counts), "Calls through `gateway`.", example: "500"),
        KeySpec(.maxLLMTokens, .integer(counts), "Tokens through `gateway`, in both directions.", example: "1000000"),
        KeySpec(.maxConnections, .integer(counts), "Accepted connections.", example: "1000"),
        KeySpec(.maxEgress, .size(0...maximumSize), "Bytes sent out.", example: "1GiB"),
        KeySpec(.maxDenials, .integer(counts), "Refused operations that are seen.", example: "1000"),
    ]

    // MARK: the rest

    private static let rest: [KeySpec] = [
        KeySpec(
            .breakerFailures, .integer(1...1_000_000), "Failures in a row after which an upstream is left alone.",
            example: "5"),
        KeySpec(.breakerCooldown, .duration(seconds), "How long it is left alone.", example: "30s"),
        KeySpec(
            .inputs,
            .list(
                .fields(
                    [
                        FieldSpec("path", .text(.relativePath), required: true, "A path of the workspace."),
                        FieldSpec("sha256", .text(.sha256), "The digest of a file."),
                        FieldSpec("git_ref", .text(.gitRef), "The commit of a repository."),
                    ], oneOf: ["sha256", "git_ref"])),
            "What is verified before the step, mounted read-only and verified after it.",
            example: #"[{path: work/site, git_ref: "9fceb02d0ae598e95dc970b74767f19372d61af8"}]"#),
        KeySpec(
            .require,
            .list(
                .either([
                    words(Guarantee.self),
                    .choice(
                        Guarantee.allCases.map(\.rawValue),
                        of: EnforcementLevel.allCases.filter { $0 != .none }.map(\.rawValue)),
                ])),
            """
            Guarantees that must be enforced on this host, or nothing starts (exit 6). A plain name asks for the \
            strongest form: the kernel, and for `budgets` the supervisor. The mapping names the weakest level that \
            will do.
            """, example: "[hermetic_paths, network_egress, {budgets: kernel}]"),
    ]
}
