import Kernels
import Testing

struct InstructionSetTests {
    @Test func scalarIsAlwaysThereAndTheActiveOneRunsHere() {
        #expect(InstructionSet.scalar.isSupported)
        #expect(InstructionSet.active.isSupported)
    }

    @Test func aForcedRowIsTakenIfItCanRun() {
        for set in InstructionSet.allCases where set.isSupported {
            #expect(InstructionSet.choose(forced: set.rawValue) == set)
        }
        #expect(InstructionSet.choose(forced: "abacus") == InstructionSet.allCases.last { $0.isSupported })
        #expect(InstructionSet.choose(forced: nil) == InstructionSet.allCases.last { $0.isSupported })
    }
}
