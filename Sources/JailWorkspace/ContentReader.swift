internal import JailDigest
internal import JailModel
internal import JailSystem

/// Reads and compares content with two buffers that serve for a whole scan.
struct ContentReader {
    private var first = [UInt8](repeating: 0, count: 1 << 17)
    private var second = [UInt8](repeating: 0, count: 1 << 17)

    /// The digest of an open file from its offset to its end.
    mutating func digest(_ fd: Int32) throws(SystemError) -> SHA256Value {
        var stream = SHA256Stream()
        while true {
            let count = try Files.read(fd, into: &first)
            if count == 0 { return stream.finish() }
            stream.update(first[..<count])
        }
    }

    /// The digests of two open files, each read once; while they are equal only one of them is hashed.
    mutating func digests(_ one: Int32, _ other: Int32) throws(SystemError) -> (SHA256Value, SHA256Value) {
        var stream = SHA256Stream()
        while true {
            let count = try Files.read(one, into: &first)
            let otherCount = try Files.read(other, into: &second)
            if count == otherCount, first[..<count] == second[..<otherCount] {
                if count == 0 {
                    let digest = stream.finish()
                    return (digest, digest)
                }
                stream.update(first[..<count])
                continue
            }
            var otherStream = stream
            stream.update(first[..<count])
            otherStream.update(second[..<otherCount])
            return (try rest(of: one, stream, count), try rest(of: other, otherStream, otherCount))
        }
    }

    private mutating func rest(
        of fd: Int32, _ stream: SHA256Stream, _ lastCount: Int
    ) throws(SystemError) -> SHA256Value {
        var stream = stream
        var count = lastCount
        while count > 0 {
            count = try Files.read(fd, into: &first)
            stream.update(first[..<count])
        }
        return stream.finish()
    }
}
