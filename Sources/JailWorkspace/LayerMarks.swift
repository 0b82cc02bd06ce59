internal import JailModel
internal import JailSystem

/// What the extended attributes of an object in a layer say, read once.
struct LayerMarks {
    /// The digest of those that a commit carries.
    var attributes: SHA256Value?
    /// `security.capability`.
    var capability: [UInt8]?
    /// An opaque directory: nothing of the lower one shows through.
    var isOpaque = false
    /// The overlay copied the object up from a lower one, which is not there for what the step made anew.
    var hasOrigin = false
    /// The object stands for another one, which this program never asks the overlay for.
    var isForeign = false

    init(of fd: Int32, _ source: ChangeWalk.Source) throws(SystemError) {
        let all = try ExtendedAttributes.all(of: fd)
        if all.isEmpty { return }
        attributes = ObjectReader.attributes(all)
        capability = all.first { $0.name == Self.capabilityName }?.value
        guard case .layer(let marks) = source else { return }
        let prefix = Array(marks.prefix.utf8)
        for (name, value) in all where name.bytes.starts(with: prefix) {
            switch name.bytes.dropFirst(prefix.count) {
            case Self.opaque: isOpaque = value == [UInt8(ascii: "y")]
            case Self.origin: hasOrigin = true
            case Self.redirect, Self.metacopy: isForeign = true
            default: break
            }
        }
    }

    private static let capabilityName: ByteString = "security.capability"
    private static let opaque = Array("opaque".utf8)[...]
    private static let origin = Array("origin".utf8)[...]
    private static let redirect = Array("redirect".utf8)[...]
    private static let metacopy = Array("metacopy".utf8)[...]
}
