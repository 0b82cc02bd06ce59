public import JailModel
public import JailSystem

/// An open file or directory of a layer that is ours alone, readable also where the step took the right to read away.
///
/// What its mode keeps from us, though it is ours, has the right to be read for as long as this value lives, and has
/// its recorded mode again afterwards; only the ctime tells. Not for the real workspace. Nobody else may write in the
/// directory. (The kernel checks the right at the open, and again at each lookup and each read of an attribute.)
public struct PrivateObject: ~Copyable, Sendable {
    private let opened: OwnedFD
    /// The mode to put back.
    private let recorded: UInt32?

    /// Opens a name for reading, without following a link.
    ///
    /// - Throws: EACCES when it is closed to us and another user's.
    public init(_ name: ByteString, _ status: FileStatus, at directory: Int32) throws(SystemError) {
        let wanted: UInt32 = status.kind == .directory ? 0o500 : 0o400
        let flags: Files.OpenFlags =
            status.kind == .directory ? [.read, .directory, .noFollow] : [.read, .noFollow, .nonBlocking]
        let user = Files.userID
        let isHelped = user != 0 && status.uid == user && status.mode & wanted != wanted
        if isHelped { try Files.setMode(name, status.mode | wanted, at: directory) }
        let descriptor = try Files.open(name, flags, at: directory)
        opened = descriptor
        recorded = isHelped ? status.mode : nil
    }

    /// The descriptor, lent.
    public var descriptor: Int32 { opened.rawValue }

    // What cannot be put back leaves the object readable in a layer that nobody else reaches.
    deinit { if let recorded { try? Files.setMode(opened.rawValue, recorded) } }
}

/// The error numbers that this module decides on (asm-generic/errno.h); the rest goes to the caller.
enum ErrorNumber {
    static let noEntry: Int32 = 2
    static let access: Int32 = 13
    static let busy: Int32 = 16
    static let exists: Int32 = 17
    static let crossDevice: Int32 = 18
    static let notDirectory: Int32 = 20
    static let invalid: Int32 = 22
    static let nameTooLong: Int32 = 36
    static let tooManyLinks: Int32 = 40
    static let badMessage: Int32 = 74
    static let notSupported: Int32 = 95
}
