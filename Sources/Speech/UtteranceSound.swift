/// Sound of an utterance as a recogniser takes it: samples, or what an encoder made of them.
package protocol UtteranceSound: Sendable {
    /// No sound.
    init()
    /// How many samples at 16 kHz it stands for.
    var sampleCount: Int { get }
    var isEmpty: Bool { get }
    /// Takes away what is known of the first `count` samples.
    mutating func takeFirst(_ count: Int) -> Self
}

extension [Float]: UtteranceSound {
    package var sampleCount: Int { count }

    package mutating func takeFirst(_ count: Int) -> [Float] {
        defer { removeFirst(count) }
        return Array(prefix(count))
    }
}
