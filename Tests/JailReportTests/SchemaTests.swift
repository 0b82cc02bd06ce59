import JailModel
import JailReport
import Testing

@Suite("docs/report.schema.json")
struct SchemaTests {
    static func schema() throws -> JSONValue {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        return try JSONValue(parsing: fileBytes(root + "/docs/report.schema.json"))
    }

    static let words: [(String, [String])] = [
        ("verdict", Verdict.allCases.map(\.rawValue)), ("profile", Profile.allCases.map(\.rawValue)),
        ("enforcement", EnforcementLevel.allCases.map(\.rawValue)), ("severity", Severity.allCases.map(\.rawValue)),
        ("tier", Tier.allCases.map(\.rawValue)), ("budget", BudgetKind.allCases.map(\.rawValue)),
        ("gate", GateName.allCases.map(\.rawValue)), ("guarantee", Guarantee.allCases.map(\.rawValue)),
    ]

    @Test("its closed sets are those of the program", arguments: words)
    func sets(name: String, values: [String]) throws {
        #expect(try Self.schema()["$defs"]?[name]?["enum"] == .strings(values))
    }

    static let changeWords: [(String, String, [String])] = [
        ("files", "kind", ChangeKind.allCases.map(\.rawValue)),
        ("refused", "reason", RefusedObject.Reason.allCases.map(\.rawValue)),
    ]

    @Test("the closed sets of `changes` are those of the program", arguments: changeWords)
    func changeSets(list: String, key: String, values: [String]) throws {
        let changes = try Self.schema()["properties"]?["changes"]?["properties"]
        #expect(changes?[list]?["items"]?["properties"]?[key]?["enum"] == .strings(values))
        #expect(changes?["state"]?["enum"] == .strings(ChangeState.allCases.map(\.rawValue)))
        #expect(changes?["mode"]?["enum"] == .strings(WorkspaceModeName.allCases.map(\.rawValue)))
    }

    @Test("every key that a report has is described and required", arguments: ReportCase.all)
    func keys(example: ReportCase) throws {
        let schema = try Self.schema()
        guard case .object(let members) = example.report.json() else {
            Issue.record("a report is no object")
            return
        }
        #expect(schema["required"] == .strings(members.keys.sorted()))
        for key in members.keys { #expect(schema["properties"]?[key] != nil, "\(key)") }
    }
}
