import Foundation
import TestSupport
import Testing

/// Every odd file of the shared data, sound and pictures, given to the program by itself: it ends with the status that is
/// due, says why, and takes no more memory than an ordinary file does.
@Suite(
    .serialized,
    .enabled(
        if: Program.isBuilt && RealData.shared("make_edge_cases.py") != nil,
        "needs the built program and ../shared/data"))
struct OddFileTests {
    private struct Run: Decodable {
        let file: String
        let status: Int32
        let errors: String
        let peakKB: Int

        enum CodingKeys: String, CodingKey {
            case file, status, errors
            case peakKB = "peak_kb"
        }

        var name: String { URL(fileURLWithPath: file).lastPathComponent }
    }

    private enum Expectation: String { case ok, either, error }

    /// What one run of `measure.py` tells.
    private static func measure(_ arguments: [String], _ files: [String]) throws -> [Run] {
        let script = RealData.root.path + "/Tests/CommandLineTests/measure.py"
        let output = try python([script, Program.path ?? ""] + arguments + ["--"] + files)
        return try output.split(separator: "\n").map { try JSONDecoder().decode(Run.self, from: Data($0.utf8)) }
    }

    @discardableResult private static func python(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    /// The first run is that of the ordinary file.
    private func check(_ runs: [Run], marginKB: Int, expecting expected: (Run) -> Expectation?) throws {
        let plain = try #require(runs.first)
        for run in runs {
            switch expected(run) {
            case .ok: #expect(run.status == 0, "\(run)")
            case .error: #expect(run.status == 65, "\(run)")
            case .either: #expect(run.status == 0 || run.status == 65, "\(run)")
            case nil: #expect(Bool(false), "nothing is known of \(run)")
            }
            if run.status != 0 { #expect(run.errors.contains(run.name) && run.errors.count > 40, "\(run)") }
            #expect(run.peakKB < plain.peakKB + marginKB, "an ordinary file takes \(plain.peakKB) kB, this: \(run)")
        }
    }

    @Test(.enabled(if: Program.hasTiny, "needs the models: make models"))
    func soundIsTranscribedOrRefused() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try Self.python([#require(RealData.shared("make_edge_cases.py")), scratch.path])
        let manifest = try String(contentsOfFile: "\(scratch.path)/manifest.tsv", encoding: .utf8)
            .split(separator: "\n").dropFirst().map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        #expect(manifest.count > 90 && manifest[0][0] == "plain_16k_16bit_mono.wav")
        let expected = Dictionary(
            uniqueKeysWithValues: manifest.map { (String($0[0]), Expectation(rawValue: String($0[2]))) })
        let files = manifest.map { "\(scratch.path)/\($0[0])" }
        let runs = try Self.measure(["transcribe", "--threads", "1"], files)
        #expect(runs.map(\.file) == files)
        // No file is larger than 300 kB or longer than 3 s.
        try check(runs, marginKB: 32_000) { expected[$0.name] ?? nil }

        let together = Program(["transcribe", "--format", "json"] + files)
        try together.start()
        let lines = together.finish().lines
        #expect(lines.compactMap { $0["file"] as? String } == files)
        #expect(lines.map { $0["error"] is String } == runs.map { $0.status != 0 }, "one bad file spoils no other")
    }

    /// Files that hold no picture, or whose beginning is of none.
    private static let noPictures: Set = [
        "arithmetic_sof9.jpg", "claims_65500.jpg", "empty.jpg", "garbage.jpg", "height_0.jpg", "png_named.jpg",
        "precision_12.jpg", "soi_eoi.jpg", "soi_garbage.jpg", "soi_only.jpg", "stream_starts_mid_frame.mjpeg",
        "text.jpg", "truncated_header.jpg"
    ]

    @Test(arguments: ["efficientnet-lite0", "\(RealData.samples)/gemma-3n-nano"])
    func picturesAreDescribedOrRefused(model: String) throws {
        guard model.contains("/") || Program.hasLabels else { return }
        let folder = try #require(RealData.shared("images/awkward"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count > 40 && Self.noPictures.isSubset(of: names))
        let files = ["no_eoi.jpg"] + names.filter { $0 != "no_eoi.jpg" }
        let runs = try Self.measure(["describe", "--model", model], files.map { "\(folder)/\($0)" })
        // 108 megapixels are decoded at an eighth or a quarter of their sides: at most 3000x2250 pixels in colour.
        try check(runs, marginKB: 96_000) { Self.noPictures.contains($0.name) ? .error : .ok }
        for run in runs where ["truncated_60.jpg", "restart_damaged.jpg"].contains(run.name) {
            #expect(run.errors.contains("damaged"), "\(run)")
        }
    }
}
