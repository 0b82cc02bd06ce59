internal import JailSystem

/// A descriptor that may be absent or replaced: noncopyable values cannot be looked at inside an optional.
final class OpenFile {
    private let descriptor: OwnedFD

    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    var rawValue: Int32 { descriptor.rawValue }
}
