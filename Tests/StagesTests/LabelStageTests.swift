import EfficientNet
import Foundation
import Graph
import Kernels
import Media
import Scenes
import Stages
import TestSupport
import Testing
import Weights

struct LabelStageTests {
    static let folder = RealData.root.appendingPathComponent("Tests/EfficientNetTests/Golden")
    static let photograph = RealData.shared("images").map { $0 + "/coffee.jpg" }
    static let need: Comment =
        "needs ../shared/data/images and the model: narrator models pull efficientnet-lite0"

    /// The random network of EfficientNetTests.
    private func tiny() throws -> EfficientNetModel {
        try EfficientNetModel(
            Checkpoint.open(Self.folder.path + "/tiny-legacy.pth"),
            architecture: EfficientNetArchitecture(
                inputSize: 33, stem: 8,
                blocks: [
                    .init(inputs: 8, outputs: 16, hidden: 8, kernel: 5, stride: 1),
                    .init(inputs: 16, outputs: 8, hidden: 96, kernel: 3, stride: 2),
                    .init(inputs: 8, outputs: 8, hidden: 48, kernel: 3, stride: 1)
                ], head: 128, classes: 10))
    }

    private func scene(_ number: Int) -> Scene {
        Scene(id: SceneID(number), reason: .change, frameTime: MediaTime(milliseconds: 40 * number))
    }

    private func gray(_ number: Int, width: Int = 40, height: Int = 30, bytes: [UInt8]? = nil) -> SceneFrame {
        SceneFrame(
            scene: scene(number),
            frame: VideoFrame(
                time: .zero, size: PixelSize(width: width, height: height), format: .grey, bytesPerRow: width,
                bytes: bytes ?? (0..<width * height).map { UInt8($0 % 251) }))
    }

    private func quanta(_ worker: LabelWorker, _ frame: SceneFrame, _ output: Output) throws -> Int {
        try worker.offer(Packet(frame, origin: "camera"))
        var quanta = 1
        while try worker.work(output) == .more { quanta += 1 }
        return quanta
    }

    @Test func aSceneBeginsOnceAndEndsOnceABlockAQuantum() throws {
        let worker = LabelWorker(try tiny(), pool: .single, top: 3) { _ in }
        let output = Output(origin: "camera")
        for number in 1...3 {
            #expect(try quanta(worker, gray(number), output) == 1 + 5)  // decoding, then stem, 3 blocks, head
            let updates = try output.take().map { try $0.value(as: SceneUpdate.self) }
            #expect(updates.count == 2)
            guard case .started(let begun) = updates[0], case .final(let final) = updates[1] else {
                Issue.record("\(updates)")
                return
            }
            #expect(begun == scene(number) && final.scene == begun)
            #expect(final.labels?.count == 3 && final.tokens == 0 && final.latency > .zero)
            #expect(final.text == LabelWording.text(final.labels ?? []))
        }
        #expect(try worker.work(output) == .idle && output.take().isEmpty)
        #expect(worker.urgency == .picture)
    }

    @Test func aPictureThatCannotBeDecodedIsReportedAndNothingElse() throws {
        var reports: [String] = []
        let worker = LabelWorker(try tiny(), pool: .single) { reports.append($0) }
        let output = Output(origin: "camera")
        let noJPEG = SceneFrame(
            scene: scene(1),
            frame: VideoFrame(
                time: .zero, size: PixelSize(width: 4, height: 4), format: .mjpeg, bytesPerRow: 0,
                bytes: [0xFF, 0xD8, 1]))
        #expect(try quanta(worker, noJPEG, output) == 1)
        #expect(try quanta(worker, gray(2, bytes: []), output) == 1)
        #expect(output.take().isEmpty && reports.count == 2)
        #expect(reports.last?.contains("2 skipped") == true)
        _ = try quanta(worker, gray(3), output)
        #expect(output.take().count == 2 && reports.count == 2)
    }

    @Test(.enabled(if: RealData.model("efficientnet-lite0") != nil && photograph != nil, need))
    func aCupOfEspressoIsOne() throws {
        let model = try EfficientNetModel(Checkpoint.open(#require(RealData.model("efficientnet-lite0"))))
        let worker = LabelWorker(model, pool: ThreadPool(threads: 2)) { _ in }
        let output = Output(origin: "camera")
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: #require(Self.photograph))))
        let frame = VideoFrame(
            time: .zero, size: PixelSize(width: 640, height: 480), format: .mjpeg, bytesPerRow: 0, bytes: bytes)
        _ = try quanta(worker, SceneFrame(scene: scene(1), frame: frame), output)
        guard case .final(let final) = try output.take().last?.value(as: SceneUpdate.self) else {
            Issue.record("no final")
            return
        }
        #expect(final.text == "espresso" && final.labels?.first?.name == "espresso")
        #expect(final.labels?.allSatisfy { $0.probability >= 0.01 } == true)
    }
}
