/// How soon a worker must run when several could; the greater first.
package enum Urgency: Int, Comparable, CaseIterable, Sendable {
    case picture, question, speech
    /// Light stages that keep the flow going: resampling, endpointing, events.
    case signal

    package static func < (a: Urgency, b: Urgency) -> Bool { a.rawValue < b.rawValue }
}

/// What a worker has left to do after a quantum.
package enum Progress: Sendable {
    /// Nothing: the next packet may be offered.
    case idle
    /// More of the same input: `work` wants to be called again.
    case more
}

/// An order from outside to a stage.
package enum StageControl: Equatable, Sendable {
    /// End now what is open.
    case flush
    /// Tell what is to be seen now, as the scene of that number.
    case describe(scene: Int)
    /// The source behind it is muted, or no longer: what is open ends, and nothing comes until it is unmuted.
    case mute(Bool)
    /// Give up what is open, untold; comes before `mute`.
    case forget
    case ask(Question)
}

/// A stage that computes, and can stop between quanta.
///
/// A worker belongs to one `ComputeLane`: it is made there, and only called there, one call at a time.
/// A quantum is one decoder step, one encoder block, or all that a light stage does with one packet: the lane chooses
/// anew between quanta, and this is how a description yields to speech.
package protocol Worker: AnyObject {
    var urgency: Urgency { get }

    /// Takes the next packet. Called only while idle, and always followed by `work`.
    func offer(_ packet: Packet) throws

    /// Does one quantum. It may be called with nothing to do.
    func work(_ output: Output) throws -> Progress

    /// The inputs have ended. `work` is then called until it is idle, and the output ends.
    func finish() throws

    /// Obeys an order from outside; it comes between quanta, even when work is unfinished. `work` is called after it.
    func control(_ control: StageControl) throws

    /// Settings that may change while the stage runs have changed; it comes between quanta, as `control` does.
    func adjust(_ settings: StageSettings) throws
}

extension Worker {
    package func finish() throws {}
    package func control(_ control: StageControl) throws {}
    package func adjust(_ settings: StageSettings) throws {}
}

/// Where a worker leaves what it gives. It belongs to the worker's lane.
///
/// A link that waits holds up the worker's next quantum, never the middle of one, so a quantum that sends several
/// packets may overfill a link by all but the first.
package final class Output {
    private var sent: [Packet] = []
    /// The source that the packet offered last stems from.
    package var origin: StageID
    /// How many packets wait at this stage's inputs: not 0 means that the stage is behind.
    package var waiting = 0

    package init(origin: StageID) { self.origin = origin }

    /// Sends to every reader, as stemming from `origin`.
    package func send(_ value: any PortValue) { send(value, from: origin) }

    package func send(_ value: any PortValue, from origin: StageID) { sent.append(Packet(value, origin: origin)) }

    /// What was sent since the last call.
    package func take() -> [Packet] {
        defer { sent.removeAll(keepingCapacity: true) }
        return sent
    }
}
