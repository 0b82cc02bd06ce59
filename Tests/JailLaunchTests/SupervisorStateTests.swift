import JailModel
import Testing

@testable import JailLaunch

@Suite("the supervisor's decisions")
struct SupervisorStateTests {
    private let breach = BudgetBreach(kind: .output, limit: 10, observed: 11, meter: "test")

    @Test("a breach kills at once, and init itself when it does not obey")
    func breachKills() {
        var state = SupervisorState(deadline: nil)
        state.started()
        let actions1 = state.breach(breach, at: .seconds(1))
        #expect(actions1 == [.kill])
        let actions2 = state.tick(.milliseconds(1900))
        #expect(actions2 == [])
        let actions3 = state.tick(.seconds(2))
        #expect(actions3 == [.force])
        #expect(state.breaches == [breach])
    }

    @Test("a second breach of the same kind is told once")
    func breachIsToldOnce() {
        var state = SupervisorState(deadline: nil)
        state.started()
        _ = state.breach(breach, at: .zero)
        let actions4 = state.breach(breach, at: .zero)
        #expect(actions4 == [])
        #expect(state.breaches.count == 1)
    }

    @Test("the first signal asks, the grace kills, the second signal kills sooner")
    func interruptionEscalates() {
        var state = SupervisorState(deadline: .seconds(100))
        state.started()
        let actions5 = state.interrupted(by: 15, at: .zero)
        #expect(actions5 == [.signal(15)])
        #expect(state.nextDeadline == SupervisorState.grace)
        let actions6 = state.tick(SupervisorState.grace)
        #expect(actions6 == [.kill])
        var hurried = SupervisorState(deadline: nil)
        hurried.started()
        _ = hurried.interrupted(by: 2, at: .zero)
        let actions7 = hurried.interrupted(by: 2, at: .seconds(1))
        #expect(actions7 == [.kill])
        #expect(hurried.interruptedBy == 2)
    }

    @Test("nothing happens after the end")
    func endIsTheEnd() {
        var state = SupervisorState(deadline: .seconds(1))
        state.started()
        state.ended()
        #expect(state.nextDeadline == nil)
        let actions8 = state.tick(.seconds(5))
        #expect(actions8 == [])
        let actions9 = state.breach(breach, at: .seconds(5))
        #expect(actions9 == [])
        let actions10 = state.interrupted(by: 15, at: .seconds(5))
        #expect(actions10 == [])
    }

    @Test("a jail that is still setting itself up can be stopped too")
    func setUpCanBeStopped() {
        var state = SupervisorState(deadline: .seconds(1))
        let actions11 = state.interrupted(by: 15, at: .zero)
        #expect(actions11 == [.signal(15)])
        var other = SupervisorState(deadline: .seconds(1))
        let actions12 = other.breach(breach, at: .zero)
        #expect(actions12 == [.kill])
    }
}
