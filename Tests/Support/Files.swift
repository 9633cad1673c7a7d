package import Foundation

/// A file of `Golden/` beside the test that asks for it.
package func golden(_ name: String, beside test: String = #filePath) -> URL {
    URL(filePath: test).deletingLastPathComponent().appending(path: "Golden/\(name)")
}

/// Little-endian float32 values.
package func floats(at file: URL) throws -> [Float] {
    try Data(contentsOf: file).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}

/// The samples of a mono 16-bit WAV file with a header of 44 bytes.
package func wavSamples(at file: URL) throws -> [Float] {
    try Data(contentsOf: file).dropFirst(44).withUnsafeBytes { bytes in
        (0..<bytes.count / 2).map { Float(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self)) / 32_768 }
    }
}
