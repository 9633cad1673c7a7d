import EfficientNet
import Foundation
import Kernels
import Signal
import TestSupport
import Weights

enum Golden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
}

/// What the reference made of one shared photograph.
struct GoldenPhotograph {
    let name: String
    let best: [(index: Int, probability: Float)]
    let samples: [Float]

    static func all(of model: String) throws -> [GoldenPhotograph] {
        try Golden.text("\(model).tsv").split(separator: "\n").map { line in
            let fields = line.split(separator: "\t")
            let best = fields[1].split(separator: " ").map { $0.split(separator: ":") }
            return GoldenPhotograph(
                name: String(fields[0]), best: best.map { (Int($0[0])!, Float($0[1])!) },
                samples: fields[2].split(separator: " ").map { Float($0)! })
        }
    }
}

/// The random network of `make_goldens.py`.
enum Tiny {
    static let files = ["tiny-legacy.pth", "tiny-zip.pth"]
    static let architecture = EfficientNetArchitecture(
        inputSize: 33, stem: 8,
        blocks: [
            .init(inputs: 8, outputs: 16, hidden: 8, kernel: 5, stride: 1),
            .init(inputs: 16, outputs: 8, hidden: 96, kernel: 3, stride: 2),
            .init(inputs: 8, outputs: 8, hidden: 48, kernel: 3, stride: 1)
        ], head: 128, classes: 10)
    static let picture = Picture(
        width: 33, height: 33, channels: 3, pixels: (0..<33 * 33 * 3).map { UInt8($0 * 7_919 % 251) })

    static func checkpoint(_ file: String = files[0]) throws -> Checkpoint {
        try Checkpoint.open(Golden.folder.appendingPathComponent(file).path)
    }

    static func model(
        _ file: String = files[0], precision: Precision = .float32, on instructionSet: InstructionSet = .active
    ) throws -> EfficientNetModel {
        try EfficientNetModel(
            checkpoint(file), architecture: architecture, precision: precision, instructionSet: instructionSet)
    }
}

extension EfficientNetModel {
    func probabilities(of picture: Picture, pool: ThreadPool = .single) -> [Float] {
        let run = EfficientNetRun(self, pool: pool)
        run.begin(pixels(from: picture))
        while !run.step() {}
        return run.probabilities
    }
}
