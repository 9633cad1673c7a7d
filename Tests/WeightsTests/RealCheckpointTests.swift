import Foundation
import Testing
import Weights

/// The store of pulled models.
private let modelStore: String =
    ProcessInfo.processInfo.environment["NARRATOR_MODELS"] ?? NSHomeDirectory() + "/.cache/narrator/models"

private func isPulled(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(modelStore)/\(file)") }

struct RealCheckpointTests {
    @Test(.enabled(if: isPulled("whisper-tiny.en/model.bin"), "waits for whisper-tiny.en in the model store"))
    func readsWhisperTiny() throws {
        let checkpoint = try Checkpoint.open("\(modelStore)/whisper-tiny.en")
        #expect(checkpoint.names.count == 148)
        #expect(try checkpoint.integer("encoder/num_heads") == 6)
        #expect(checkpoint.entry("decoder/projection/weight")?.name == "decoder/embeddings/weight")
        // The first row of the encoder's fixed sinusoid: sin 0, then cos 0.
        let positions = try checkpoint.floats("encoder/position_encodings/encodings", shape: [1_500, 384])
        #expect(positions[0] == 0 && positions[192] == 1)
        #expect(abs(positions[384] - sin(1)) < 2.5e-4)
        let parameters = checkpoint.names.compactMap(checkpoint.entry).map(\.count).reduce(0, +)
        #expect(abs(Double(parameters) - 37.76e6) < 0.01e6)
    }

    @Test(.enabled(if: isPulled("silero-vad/silero_vad_16k.safetensors"), "waits for silero-vad in the model store"))
    func readsSilero() throws {
        let checkpoint = try Checkpoint.open("\(modelStore)/silero-vad")
        #expect(checkpoint.format == .safetensors)
        for name in checkpoint.names {
            #expect(try checkpoint.floats(name, shape: checkpoint.shape(of: name)).allSatisfy(\.isFinite))
        }
    }
}
