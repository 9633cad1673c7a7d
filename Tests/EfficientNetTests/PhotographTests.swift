import EfficientNet
import Foundation
import Kernels
import Signal
import TestSupport
import Testing
import Weights

/// The published networks on the shared photographs.
struct PhotographTests {
    static let models = ["efficientnet-lite0", "efficientnet-lite2"]
    static let areReady = models.allSatisfy { RealData.model($0) != nil } && RealData.shared("images") != nil
    static let need: Comment =
        "needs ../shared/data/images and the models: narrator models pull efficientnet-lite0, and -lite2"

    @Test(.enabled(if: areReady, need), arguments: models)
    func topFiveAndProbabilitiesAreThoseOfTheReference(name: String) throws {
        let model = try EfficientNetModel(Checkpoint.open(#require(RealData.model(name))))
        let pool = ThreadPool(threads: 2)
        for golden in try GoldenPhotograph.all(of: name) {
            let picture = try photograph(golden.name)
            let pixels = model.pixels(from: picture)
            for (i, sample) in golden.samples.enumerated() {
                let found = pixels.array[i * 14_983 % pixels.count]
                #expect(abs(found - sample) < 2e-6, "input \(i) of \(golden.name): \(found), not \(sample)")
            }
            let probabilities = model.probabilities(of: picture, pool: pool)
            let best = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }.prefix(5)
            #expect(Array(best) == golden.best.map(\.index), "\(golden.name)")
            for (index, probability) in golden.best {
                #expect(abs(probabilities[index] - probability) < 1e-5, "\(golden.name), class \(index)")
            }
        }
    }

    @Test(
        .enabled(if: areReady, need),
        arguments: [
            ("coffee.jpg", "espresso"), ("parrots.jpg", "macaw"), ("cat_chelsea.jpg", "Egyptian cat"),
            ("mountain_stream.jpg", "valley"), ("cameraman_gray.jpg", "tripod"), ("propeller_plane.jpg", "warplane")
        ])
    func namesAreThoseOfTheirClasses(file: String, name: String) throws {
        let model = try EfficientNetModel(Checkpoint.open(#require(RealData.model("efficientnet-lite0"))))
        #expect(model.labels(try model.probabilities(of: photograph(file)))[0].name == name)
    }

    private func photograph(_ name: String) throws -> Picture {
        let path = try #require(RealData.shared("images")) + "/\(name)"
        return try PictureDecoder().decode(jpeg: [UInt8](Data(contentsOf: URL(fileURLWithPath: path))), as: .rgb)
            .picture
    }
}
