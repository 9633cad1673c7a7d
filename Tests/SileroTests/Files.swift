import Foundation

/// The folder of shared test recordings; it may not be there.
let testData =
    ProcessInfo.processInfo.environment["NARRATOR_TEST_DATA"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).appending(path: "../../../../shared/data").standardizedFileURL

/// The weights in the model store; they may not be there.
let checkpoint =
    (ProcessInfo.processInfo.environment["NARRATOR_MODELS"].map { URL(filePath: $0) }
    ?? URL.homeDirectory.appending(path: ".cache/narrator/models"))
    .appending(path: "silero-vad/silero_vad_16k.safetensors")

func isThere(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

/// A file of `Golden/`.
func golden(_ name: String) -> URL { URL(filePath: #filePath).appending(path: "../Golden/\(name)").standardizedFileURL }

/// Little-endian float32 values.
func floats(at file: URL) throws -> [Float] {
    try Data(contentsOf: file).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}

/// The samples of a mono 16-bit WAV file with a header of 44 bytes.
func wavSamples(at file: URL) throws -> [Float] {
    try Data(contentsOf: file).dropFirst(44).withUnsafeBytes { bytes in
        (0..<bytes.count / 2).map { Float(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self)) / 32_768 }
    }
}

/// The float32 tensors of a trusted safetensors file.
func safetensors(at file: URL) throws -> [String: [Float]] {
    struct Entry: Decodable { var dataOffsets: [Int] }
    let data = try Data(contentsOf: file)
    let headerCount = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let entries = try decoder.decode([String: Entry].self, from: data[8..<8 + headerCount])
    return entries.reduce(into: [:]) { tensors, entry in
        let bytes = data.dropFirst(8 + headerCount)
        let (start, end) = (entry.value.dataOffsets[0], entry.value.dataOffsets[1])
        tensors[entry.key] = bytes.withUnsafeBytes { bytes in
            stride(from: start, to: end, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
        }
    }
}
