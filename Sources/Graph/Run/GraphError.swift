/// What can go wrong when a graph is built or runs.
package enum GraphError: Error {
    /// A stage could not be made, or threw while it ran.
    case stageFailed(stage: StageID, underlying: any Error)
    /// Stages that were still at work when the time for stopping was over.
    case notDrained(stages: [StageID])
    /// A stage got a value of another type than it takes.
    case wrongValue(got: String, wanted: String)
    /// A kind of stage made a worker where a source was due, or the other way round.
    case wrongBody(stage: StageID, kind: String)
    /// The graph has ended and cannot change any more.
    case over
}

extension GraphError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .stageFailed(let stage, let underlying):
            "Stage '\(stage)' failed: \(underlying)"
        case .notDrained(let stages):
            """
            Stopped before \(stages.map { "'\($0)'" }.joined(separator: ", ")) had finished. \
            Allow more time, or use a smaller model.
            """
        case .wrongValue(let got, let wanted):
            "A stage got a \(got) where it takes a \(wanted). This is a fault of the program: please report it."
        case .over: "The pipeline has ended. Start the daemon anew."
        case .wrongBody(let stage, let kind):
            """
            Kind '\(kind)' of stage '\(stage)' made the wrong sort of stage. \
            This is a fault of the program: please report it.
            """
        }
    }
}
