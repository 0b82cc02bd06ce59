public import JailModel

/// What git knows of a mode; other permission bits do not show in a patch.
public enum PatchMode: String, Sendable, Hashable, CaseIterable {
    case regular = "100644"
    case executable = "100755"
    case link = "120000"

    /// `nil` for what git does not record: directories and special files.
    public init?(_ state: ObjectState) {
        switch state.kind {
        case .file: self = state.mode & 0o100 == 0 ? .regular : .executable
        case .link: self = .link
        case .directory, .fifo, .socket, .device: return nil
        }
    }
}

/// The content of one side of a patched file.
public enum PatchContent: Sendable, Hashable {
    /// A file's bytes, or a link's text.
    case bytes([UInt8])
    /// Too large to be told (`PatchLimits.needsContent`). Two with the same digest are the same content; without one
    /// they are taken to differ.
    case omitted(digest: SHA256Value?)
}

/// One side of a patched file.
public struct PatchSide: Sendable, Hashable {
    public var mode: PatchMode
    public var content: PatchContent

    public init(mode: PatchMode, content: PatchContent) {
        self.mode = mode
        self.content = content
    }
}

/// One file for a patch.
public struct FilePatch: Sendable, Hashable {
    /// Relative to the workspace.
    public var path: ByteString
    /// Where a renamed file was; `nil` when it stayed.
    public var from: ByteString?
    /// `nil` when nothing was there, or nothing that git records.
    public var old: PatchSide?
    /// `nil` when nothing is there any more.
    public var new: PatchSide?

    public init(path: ByteString, from: ByteString? = nil, old: PatchSide?, new: PatchSide?) {
        self.path = path
        self.from = from
        self.old = old
        self.new = new
    }
}

/// How much of a file a patch tells.
public struct PatchLimits: Sendable, Hashable {
    /// A binary file with a side above so many bytes is only said to differ; such a patch cannot be applied there.
    public var binaryBytes = 1 << 20
    /// The same for text.
    public var textBytes = 16 << 20

    public init() {}

    /// Whether a file with a side of this size can be told at all; its content need not be read otherwise.
    public func needsContent(size: UInt64) -> Bool { size <= UInt64(max(binaryBytes, textBytes, 0)) }
}
