import Foundation
import Gemma
import Graph
import Kernels
import Media
import Scenes
import Stages
import TestSupport
import Testing

/// With the small Gemma in `samples`, which knows digits only.
struct DescribeStageTests {
    private let output = Output(origin: "camera")

    private func worker(prompt: String) throws -> DescribeWorker {
        let path = RealData.root.appendingPathComponent("samples/gemma-3n-nano").path
        let gemma = try OpenedGemma(path, name: "nano", weights: .f32, pool: .single)
        let writer = try GemmaWriter(gemma, slice: nil, positions: 256, pool: .single)
        return DescribeWorker(writer, prompt: prompt, limit: 16, tellsChangesOnly: true)
    }

    private func offer(_ number: Int, to worker: DescribeWorker) throws {
        let scene = Scene(id: SceneID(number), reason: .change, frameTime: .zero)
        try worker.offer(Packet(SeenFrame(subject: .scene(scene), arrival: .zero), origin: "camera"))
    }

    /// Runs until `worker` is idle.
    /// - Returns: The text of the last final, and what its deltas make together.
    private func finish(_ worker: DescribeWorker) throws -> (final: String?, deltas: String) {
        while try worker.work(output) == .more {}
        var (final, deltas): (String?, String) = (nil, "")
        for packet in output.take() {
            switch try packet.value(as: SceneUpdate.self) {
            case .started: break
            case .delta(_, let text): deltas += text
            case .final(let told): final = told.text
            }
        }
        return (final, deltas)
    }

    @Test func `a description is told piece by piece and then as a whole`() throws {
        let worker = try worker(prompt: "What comes after three?")
        try offer(1, to: worker)
        let told = try finish(worker)
        #expect(told.final == "four" && told.deltas.trimmed == "four")
    }

    @Test func `what is forgotten while it is described ends without a word, and the next one is told`() throws {
        let worker = try worker(prompt: "What comes after three?")
        try offer(1, to: worker)
        for _ in 0..<3 { #expect(try worker.work(output) == .more) }
        try worker.control(.forget)
        let forgotten = try finish(worker)
        #expect(forgotten.final?.isEmpty == true && forgotten.deltas.isEmpty)
        try offer(2, to: worker)
        #expect(try finish(worker).final == "four")
    }

    @Test func `a picture that waits is forgotten`() throws {
        let worker = try worker(prompt: "What comes after three?")
        try offer(1, to: worker)
        try worker.control(.forget)
        #expect(try worker.work(output) == .idle && output.take().isEmpty)
    }
}
