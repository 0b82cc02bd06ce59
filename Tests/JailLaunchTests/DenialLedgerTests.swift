import JailModel
import Testing

@testable import JailLaunch

@Suite("denials are collected within bounds")
struct DenialLedgerTests {
    private func denial(_ subject: String) -> Denial {
        Denial(kind: .syscall, subject: subject, rule: "seccomp: mounts")
    }

    @Test("the same attempt is one entry with a count, and every attempt is one denial")
    func countsRepetitions() {
        var ledger = DenialLedger()
        let isFirst = ledger.add(denial("mount"))
        let isSecond = ledger.add(denial("mount"))
        #expect(isFirst && !isSecond)
        #expect(ledger.denials.count == 1)
        #expect(ledger.denials[0].count == 2)
        #expect(ledger.total == 2)
    }

    @Test("a flood is counted and not kept")
    func dropsAboveCapacity() {
        var ledger = DenialLedger()
        for index in 0..<(DenialLedger.capacity + 50) { _ = ledger.add(denial("call \(index)")) }
        #expect(ledger.denials.count == DenialLedger.capacity)
        #expect(ledger.dropped == 50)
        #expect(ledger.total == UInt64(DenialLedger.capacity + 50))
    }

    @Test("executions are collected in the same way")
    func countsExecs() {
        var ledger = ExecLedger()
        let isFirst = ledger.add(ExecRecord(path: "/bin/true", argv: ["true"]))
        let isSecond = ledger.add(ExecRecord(path: "/bin/true", argv: ["true"]))
        let isOther = ledger.add(ExecRecord(path: "/bin/true", argv: ["true", "x"]))
        #expect(isFirst && !isSecond && isOther)
        #expect(ledger.total == 3)
        #expect(ledger.records.count == 2)
    }
}
