public import JailModel

/// The JSON Schema (draft 2020-12) of the policy format, made from the key table.
///
/// `docs/policy.schema.json` is a copy.
///
/// It checks what a schema can: keys, types, words, ranges and the form of texts. What depends on several keys or on
/// other files only the parser can refuse.
public enum PolicySchema {
    /// The schema.
    public static func json() -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for section in PolicyKey.sections {
            let specs = PolicyKeys.table.filter { $0.key.section == section }
            properties[section] = object(Dictionary(uniqueKeysWithValues: specs.map { ($0.key.leaf, property($0)) }))
        }
        for spec in PolicyKeys.table where spec.key.section.isEmpty { properties[spec.key.leaf] = property(spec) }
        guard case .object(var root) = object(properties) else { return .object([:]) }
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        root["title"] = "launch-jail policy"
        return .object(root)
    }

    private static func object(_ properties: [String: JSONValue]) -> JSONValue {
        ["type": "object", "additionalProperties": false, "properties": .object(properties)]
    }

    private static func property(_ spec: KeySpec) -> JSONValue {
        guard case .object(var members) = schema(spec.shape) else { return schema(spec.shape) }
        var description = spec.summary
        if case .deferred(let words) = spec.status { description += " In this version: \(words)." }
        members["description"] = .string(description)
        return .object(members)
    }

    private static func schema(_ shape: KeyShape) -> JSONValue {
        switch shape {
        case .integer(let range): return integer(range)
        case .boolean: return ["type": "boolean"]
        case .word(let words): return ["enum": .strings(words)]
        case .duration(let range):
            let text = #"^(?=[0-9])((0|[1-9][0-9]*)h)?((0|[1-9][0-9]*)m)?((0|[1-9][0-9]*)s)?$"#
            return ["anyOf": [integer(range), ["type": "string", "pattern": .string(text)]]]
        case .size(let range):
            let text = #"^(0|[1-9][0-9]*)(KiB|MiB|GiB|TiB)$"#
            return ["anyOf": [integer(range), ["type": "string", "pattern": .string(text)]]]
        case .text(let form): return text(form)
        case .list(let element): return ["type": "array", "items": schema(element)]
        case .fields(let fields, let alternatives): return mapping(fields, alternatives)
        case .dictionary(let keys, let values):
            return ["type": "object", "propertyNames": text(keys), "additionalProperties": text(values)]
        case .choice(let names, let words):
            return [
                "type": "object", "propertyNames": ["enum": .strings(names)],
                "additionalProperties": ["enum": .strings(words)], "minProperties": 1, "maxProperties": 1,
            ]
        case .either(let shapes): return ["anyOf": .array(shapes.map(schema))]
        }
    }

    private static func mapping(_ fields: [FieldSpec], _ alternatives: [String]) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for field in fields {
            guard case .object(var members) = schema(field.shape) else { continue }
            members["description"] = .string(field.summary)
            properties[field.name] = .object(members)
        }
        guard case .object(var out) = object(properties) else { return .object([:]) }
        out["required"] = .strings(fields.filter(\.isRequired).map(\.name))
        if !alternatives.isEmpty { out["oneOf"] = .array(alternatives.map { ["required": [.string($0)]] }) }
        return .object(out)
    }

    private static func integer(_ range: ClosedRange<UInt64>) -> JSONValue {
        [
            "type": "integer", "minimum": .integer(Int64(clamping: range.lowerBound)),
            "maximum": .integer(Int64(clamping: range.upperBound)),
        ]
    }

    private static func text(_ form: TextForm) -> JSONValue { ["type": "string", "pattern": .string(form.pattern)] }
}
