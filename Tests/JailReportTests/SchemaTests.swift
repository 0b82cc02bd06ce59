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
