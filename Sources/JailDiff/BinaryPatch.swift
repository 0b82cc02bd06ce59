/// Writes one direction of git's binary patches: a zlib stream (RFC 1950) in base 85.
///
/// The stream is of stored blocks, which any reader takes; a patch need not be small.
enum BinaryPatch {
    private static let alphabet = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~".utf8)
    private static let lineBytes = 52

    /// Appends the content whole.
    static func append(_ content: [UInt8], to out: inout [UInt8]) {
        out += "literal \(content.count)\n".utf8
        let stream = stored(content)
        for start in stride(from: 0, to: stream.count, by: lineBytes) {
            appendLine(stream[start..<min(start + lineBytes, stream.count)], to: &out)
        }
        out.append(newline)
    }

    /// The line's size as a letter, then five digits for each four bytes; the last four are filled up with zeros.
    private static func appendLine(_ line: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let size = UInt8(line.count)
        out.append(size <= 26 ? UInt8(ascii: "A") + size - 1 : UInt8(ascii: "a") + size - 27)
        for start in stride(from: line.startIndex, to: line.endIndex, by: 4) {
            var value: UInt32 = 0
            for index in start..<start + 4 { value = value << 8 | (index < line.endIndex ? UInt32(line[index]) : 0) }
            var divisor: UInt32 = 85 * 85 * 85 * 85
            while divisor > 0 {
                out.append(alphabet[Int(value / divisor)])
                value %= divisor
                divisor /= 85
            }
        }
        out.append(newline)
    }

    private static func stored(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        out.reserveCapacity(content.count + content.count / 65535 * 5 + 16)
        var start = 0
        repeat {
            let end = min(start + 65535, content.count)
            let size = UInt16(end - start)
            out.append(end == content.count ? 1 : 0)
            for word in [size, ~size] { out += [UInt8(word & 255), UInt8(word >> 8)] }
            out += content[start..<end]
            start = end
        } while start < content.count
        let check = adler32(content)
        for shift: UInt32 in [24, 16, 8, 0] { out.append(UInt8(check >> shift & 255)) }
        return out
    }

    private static func adler32(_ content: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in content {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return high << 16 | low
    }
}
