import Foundation
import Gemma
import Kernels
import Testing

/// What quantising holds in memory, in a process of its own.
struct QuantizingMemoryTests {
    /// A model with a table of 100 million numbers more, which is 200 MB in bfloat16 and a hole in its file.
    @Test func doesNotGrowWithTheRows() async {
        await #expect(processExitsWith: .success) {
            let rows = 100_000_000 / 64
            let source = try ModelFolder(SampleModel(), ModelFolder.Form(tableRows: rows))
            let model = try GemmaModel(source.path)
            #expect(model.byteCount > 200_000_000)
            let before = Self.kilobytes("VmHWM:")
            try GemmaQuantizer(model, to: .q4).write(
                to: source.folder.file("model.gguf"), pool: ThreadPool(threads: 2))
            // A block of 8 million numbers: as they are stored, in floats, and packed.
            let growth = (Self.kilobytes("VmHWM:") - before) / 1_024
            guard growth < 100 else { fatalError("\(growth) MB more at the peak") }
        }
    }

    private static func kilobytes(_ key: String) -> Int {
        let lines = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix(key) } ?? ""
        return line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
    }
}
