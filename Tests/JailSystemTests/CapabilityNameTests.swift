import CJail
import JailModel
import Testing

@Suite("Names of capabilities")
struct CapabilityNameTests {
    @Test("the table is libcap's, up to the last capability of this kernel")
    func table() {
        for number in 0...cj_last_capability() {
            var buffer = [CChar](repeating: 0, count: 64)
            let length = Int(cj_capability_name(number, &buffer, buffer.count))
            #expect(length > 0)
            let name = String(decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(CapabilitySet.name(of: Int(number)) == name)
        }
        #expect(cj_last_capability() >= 40)
    }

    @Test("a set is told by names, the unknown by number")
    func sets() {
        #expect(CapabilitySet(0).description == "none")
        #expect(CapabilitySet(1 << 0 | 1 << 21).description == "cap_chown, cap_sys_admin")
        #expect(CapabilitySet(1 << 40 | 1 << 63).description == "cap_checkpoint_restore, 63")
        #expect(CapabilitySet(.max).names.count == 64)
    }
}
