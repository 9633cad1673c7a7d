package import Graph
import Media
package import Signal

extension StageKind {
    /// `resample { rate_hz: 16000, channel: mix | left | right | loudest }`
    static func resample(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "resample", summary: "Makes one channel at 16 kHz of any sound.", inputs: [AudioBlock.port],
            output: SpeechBlock.port,
            settings: [
                // Every model hears 16 kHz; the setting states it and leaves room for others.
                .optional("rate_hz", .integer(16_000...16_000), default: .integer(16_000), "the rate of the output"),
                .optional(
                    "channel", .choice(ChannelPolicy.allCases.map(\.rawValue)), default: .string("mix"),
                    "which channels are heard")
            ],
            make: { settings, context in
                let policy = ChannelPolicy(rawValue: settings.string("channel")) ?? .mix
                return .worker(
                    ResampleWorker(rateHz: settings.integer("rate_hz"), policy: policy) { notice in
                        environment.report("stage '\(context.stage)': \(notice)")
                    })
            })
    }
}

/// Channels to one, then any rate to one. Times are those of capture: what is still inside is subtracted.
package final class ResampleWorker: Worker {
    package let urgency = Urgency.signal
    private let rateHz: Int
    private let policy: ChannelPolicy
    private let report: (String) -> Void
    private var chain: SpeechChain?
    /// Stream time after the last frame taken.
    private var heardEnd: MediaTime?
    /// More than this between two blocks is a gap, whether the source says so or not: it was muted, or stood still.
    private static let longestJitter = MediaTime(milliseconds: 50)
    private var input: AudioBlock?
    private var ended = false

    package init(rateHz: Int, policy: ChannelPolicy, report: @escaping (String) -> Void) {
        self.rateHz = rateHz
        self.policy = policy
        self.report = report
    }

    package func offer(_ packet: Packet) throws { input = try packet.value(as: AudioBlock.self) }

    package func finish() throws { ended = true }

    package func control(_ control: StageControl) throws {
        if control == .forget { chain = nil }
    }

    package func work(_ output: Output) throws -> Progress {
        if let block = input {
            input = nil
            try take(block, output)
        } else if ended {
            close(output)
        }
        return .idle
    }

    private func take(_ block: AudioBlock, _ output: Output) throws {
        var lost = block.lostBefore
        if let heardEnd, block.time - heardEnd > Self.longestJitter { lost = max(lost, block.time - heardEnd) }
        if heardEnd == nil { lost = .zero }
        heardEnd = block.end
        if let open = chain, lost > .zero || !open.fits(block) { close(output) }
        let current = try chain ?? SpeechChain(rateHz: rateHz, policy: policy, like: block)
        chain = current
        let samples = current.step(block)
        if let notice = current.takeNotice() { report(notice) }
        send(samples, endingAt: block.end - current.pending, lost: lost, output)
    }

    private func close(_ output: Output) {
        guard let open = chain else { return }
        chain = nil
        let end = open.inputEnd
        send(open.finish(), endingAt: end, lost: .zero, output)
    }

    private func send(_ samples: [Float], endingAt end: MediaTime, lost: MediaTime, _ output: Output) {
        guard !samples.isEmpty || lost > .zero else { return }
        let time = end - MediaTime(samples: samples.count, rateHz: rateHz)
        output.send(
            SpeechBlock(block: AudioBlock(time: time, rateHz: rateHz, channels: 1, samples: samples, lostBefore: lost)))
    }
}
