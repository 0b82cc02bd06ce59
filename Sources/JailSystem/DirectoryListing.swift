internal import CJail
internal import Glibc
public import JailModel

/// Reads the names of an open directory one at a time, with one buffer that can be used again.
///
/// getdents64(2).
public struct DirectoryListing: Sendable {
    private let directory: Int32
    private var buffer: [UInt8]
    private var position = 0
    private var length = 0

    /// Borrows a directory descriptor, which must stay open as long as this value is used.
    public init(_ directory: Int32, bufferSize: Int = 16384) {
        self.directory = directory
        buffer = [UInt8](repeating: 0, count: bufferSize)
    }

    /// Goes back to the first name; the kernel lists the directory anew.
    public mutating func rewind() throws(SystemError) {
        let directory = directory
        try retrying("rewind a directory") { lseek(directory, 0, SEEK_SET) }
        position = 0
        length = 0
    }

    /// The next name except `.` and `..`, `nil` at the end.
    public mutating func next() throws(SystemError) -> ByteString? {
        while let range = try nextRange() {
            let name = buffer[range]
            if name.elementsEqual([UInt8(ascii: ".")]) || name.elementsEqual(Array("..".utf8)) { continue }
            return ByteString(name)
        }
        return nil
    }

    /// The next name that is a positive number, as /proc's process directories are.
    mutating func nextNumber() throws(SystemError) -> Int32? {
        while let range = try nextRange() {
            var value: Int32 = 0
            var isNumber = true
            for byte in buffer[range] {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), value < 200_000_000 else {
                    isNumber = false
                    break
                }
                value = value * 10 + Int32(byte - UInt8(ascii: "0"))
            }
            if isNumber, value > 0 { return value }
        }
        return nil
    }

    /// Where the next record's name lies in the buffer.
    private mutating func nextRange() throws(SystemError) -> Range<Int>? {
        if position >= length {
            let directory = directory
            length = try retrying("list a directory") {
                // SAFETY: the buffer is exclusively borrowed, and the kernel writes at most its count.
                unsafe buffer.withUnsafeMutableBytes { unsafe cj_getdents(directory, $0.baseAddress, $0.count) }
            }
            position = 0
            if length == 0 { return nil }
        }
        // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, terminated name.
        let record = position
        let recordLength = Int(buffer[record + 16]) | Int(buffer[record + 17]) << 8
        position += recordLength
        let start = record + 19
        let end = buffer[start..<(record + recordLength)].firstIndex(of: 0) ?? record + recordLength
        return start..<end
    }
}
