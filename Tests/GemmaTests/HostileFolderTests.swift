import Foundation
import Gemma
import Glibc
import Kernels
import Testing
import Tokenizers
import Weights

/// Folders in Hugging Face form that lack a part or hold something else in its place.
struct HostileFolderTests {
    @Test func aFolderWithoutAPartIsRefused() throws {
        for part in ["config.json", "tokenizer.json", "model.safetensors"] {
            let source = try ModelFolder()
            try FileManager.default.removeItem(at: source.folder.url(part))
            let error = #expect(throws: (any Error).self) { try runEverything(source.path) }
            #expect(error is GemmaError || error is WeightsError || error is TokenizerError)
            #expect("\(error as Any)".contains(source.path))
        }
    }

    /// Pipes that nobody writes to and devices that never end.
    @Test func whatIsNoPlainFileIsRefused() throws {
        for part in ["config.json", "tokenizer.json", "model.safetensors", "preprocessor_config.json"] {
            for isPipe in [true, false] {
                let source = try ModelFolder()
                let path = source.folder.file(part)
                unlink(path)
                try #require(isPipe ? mkfifo(path, 0o600) == 0 : symlink("/dev/zero", path) == 0)
                if part == "preprocessor_config.json" {
                    // Nothing that a text decoder needs: the file is made without it.
                    try QuantizedFileTests.quantize(GemmaModel(source.path), .q4, in: source.folder)
                    continue
                }
                let error = #expect(throws: (any Error).self) { try runEverything(source.path) }
                #expect(error is GemmaError || error is WeightsError || error is TokenizerError)
            }
        }
    }
}
