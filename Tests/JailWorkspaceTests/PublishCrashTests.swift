import JailModel
import JailSystem
import JailWorkspace
import Testing

/// A kill before every single step that changes the disk leaves the old tree, or one that recovery makes the new one.
@Suite struct PublishCrashTests {
    @Test(arguments: UInt64(1)...24)
    func everyStepOfACommit(_ seed: UInt64) throws {
        try stopEverywhere(PublishFixture(seed: seed &* 1000))
    }

    @Test(arguments: UInt64(1)...24)
    func everyStepOfARollback(_ seed: UInt64) throws {
        try stopRollbackEverywhere(PublishFixture(seed: seed &* 7777))
    }

    @Test(arguments: UInt64(1)...6)
    func everyStepAcrossMounts(_ seed: UInt64) throws {
        let fixture = try PublishFixture(seed: seed &* 31, objects: 10, changes: 6, undoIn: "/tmp")
        try stopEverywhere(fixture)
        try stopRollbackEverywhere(fixture)
    }

    @Test(arguments: UInt64(1)...3)
    func everySecondStopWithinARecovery(_ seed: UInt64) throws {
        for undo in [nil, "/tmp"] {
            let fixture = try PublishFixture(seed: seed &* 53, objects: 8, changes: 4, undoIn: undo)
            var first = 0
            while try !stopTwice(fixture, first) { first += 1 }
        }
    }

    private func stopEverywhere(_ fixture: PublishFixture) throws {
        var outcomes: Set<PublishState> = []
        for limit in 0... {
            let counter = StepCounter(stopAfter: limit)
            guard try isStopped({ () throws(PublishError) in try fixture.commit(counter.faults) }) else { break }
            let state = try fixture.recover()
            outcomes.insert(state)
            let what: Comment = "stopped after \(limit): \(String(describing: counter.steps.last))"
            try fixture.expect(state == .committed ? fixture.new : fixture.old, state, what)
            #expect(try fixture.recover() == state, what)
            if state == .committed {
                #expect(try fixture.verify() == [], what)
                try fixture.rollback()
                try fixture.expect(fixture.old, .rolledBack, what)
                #expect(try fixture.verify() == [], what)
            }
        }
        #expect(outcomes == [.nothing, .committed])
        try fixture.expect(fixture.new, .committed, "finished")
        #expect(try fixture.verify() == [])
        try fixture.rollback()
        try fixture.expect(fixture.old, .rolledBack, "rolled back")
    }

    private func stopRollbackEverywhere(_ fixture: PublishFixture) throws {
        var outcomes: Set<PublishState> = []
        for limit in 0... {
            if try Publisher.state(undo: fixture.undo.descriptor) != .committed { try fixture.commit() }
            let counter = StepCounter(stopAfter: limit)
            guard try isStopped({ () throws(PublishError) in try fixture.rollback(counter.faults) }) else { break }
            let state = try fixture.recover()
            outcomes.insert(state)
            let what: Comment = "stopped after \(limit): \(String(describing: counter.steps.last))"
            try fixture.expect(state == .committed ? fixture.new : fixture.old, state, what)
            #expect(try fixture.verify() == [], what)
            #expect(try fixture.recover() == state, what)
        }
        #expect(outcomes == [.committed, .rolledBack])
        try fixture.expect(fixture.old, .rolledBack, "finished")
    }

    /// Stops a commit after `first` steps and its recovery after every number; `true` when the commit was not stopped.
    private func stopTwice(_ fixture: PublishFixture, _ first: Int) throws -> Bool {
        for second in 0... {
            let counter = StepCounter(stopAfter: first)
            guard try isStopped({ () throws(PublishError) in try fixture.commit(counter.faults) }) else { return true }
            let again = StepCounter(stopAfter: second)
            let isLast = try !isStopped { () throws(PublishError) in try fixture.recover(again.faults) }
            let state = try fixture.recover()
            try fixture.expect(
                state == .committed ? fixture.new : fixture.old, state, "stopped after \(first), then after \(second)")
            if state == .committed { try fixture.rollback() }
            if isLast { return false }
        }
        return false
    }

    private func isStopped<Value>(_ body: () throws(PublishError) -> Value) throws -> Bool {
        do throws(PublishError) {
            _ = try body()
            return false
        } catch {
            guard error == .stopped else { throw error }
            return true
        }
    }
}
