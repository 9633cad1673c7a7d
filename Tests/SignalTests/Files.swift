import Foundation

/// The folder of shared test recordings; it may not be there.
let testData =
    ProcessInfo.processInfo.environment["NARRATOR_TEST_DATA"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).appending(path: "../../../../shared/data").standardizedFileURL

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
