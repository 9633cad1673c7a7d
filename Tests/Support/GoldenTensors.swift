package import Foundation

/// A golden file in safetensors form, read without the module under test: values by name.
package struct GoldenTensors {
    package struct Entry {
        package let shape: [Int]
        package let floats: [Float]
        package let integers: [Int]
    }

    package let entries: [String: Entry]

    package init(_ file: URL) throws {
        let data = try Data(contentsOf: file)
        let length = Int(data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]] ?? [:]
        var entries: [String: Entry] = [:]
        for (name, value) in header where name != "__metadata__" {
            guard let shape = value["shape"] as? [Int], let range = value["data_offsets"] as? [Int],
                let type = value["dtype"] as? String
            else { continue }
            let bytes = data[(8 + length + range[0])..<(8 + length + range[1])]
            entries[name] = Entry(
                shape: shape, floats: type == "F32" ? Self.read(bytes, Float.self) : [],
                integers: type == "I64"
                    ? Self.read(bytes, Int64.self).map(Int.init)
                    : type == "I32" ? Self.read(bytes, Int32.self).map(Int.init) : [])
        }
        self.entries = entries
    }

    package subscript(_ name: String) -> Entry { entries[name]! }

    private static func read<Number: BitwiseCopyable>(_ bytes: Data, _: Number.Type) -> [Number] {
        bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / MemoryLayout<Number>.size).map {
                bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: Number.self)
            }
        }
    }
}
