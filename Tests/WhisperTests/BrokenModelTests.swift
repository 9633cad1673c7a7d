import Foundation
import Kernels
import TestSupport
import Testing
import Whisper

struct BrokenModelTests {
    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "narrator-whisper-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func anEmptyFolderIsMissingItsFile() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: WhisperError.missing(file: "\(folder.path)/model.bin")) {
            try WhisperModel(folder: folder.path, name: "broken", precision: .int8)
        }
    }

    @Test func aFileThatIsNoCheckpointIsRefused() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(repeating: 7, count: 4_096).write(to: folder.appending(path: "model.bin"))
        #expect(throws: (any Error).self) {
            try WhisperModel(folder: folder.path, name: "broken", precision: .int8)
        }
    }

    @Test(.enabled(if: RealData.model("silero-vad") != nil, "needs the model: narrator models pull silero-vad"))
    func aCheckpointOfAnotherNetworkIsRefused() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let silero = try #require(RealData.model("silero-vad")) + "/silero_vad_16k.safetensors"
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/model.bin", withDestinationPath: silero)
        #expect(throws: (any Error).self) {
            try WhisperModel(folder: folder.path, name: "broken", precision: .int8)
        }
    }
}
