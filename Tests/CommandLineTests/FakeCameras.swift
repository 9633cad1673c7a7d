import Foundation
import TestSupport

/// Cameras of `Tests/DeviceLab/preload/fakev4l.c`: each is a file in a folder, which programs under the library take
/// for the folder of their devices. Making the file is plugging in, deleting it is pulling the plug.
struct FakeCameras {
    static let isPossible = Program.isBuilt && shell("command -v cc") == 0

    let scratch: Scratch
    private let library: String

    init() throws {
        scratch = try Scratch()
        library = "\(scratch.path)/fakev4l.so"
        let source = "\(RealData.root.path)/Tests/DeviceLab/preload/fakev4l.c"
        guard FakeCameras.shell("cc -O2 -Wall -Werror -shared -fPIC -o '\(library)' '\(source)' -ldl") == 0 else {
            throw CocoaError(.executableLoad)
        }
        for folder in ["dev", "frames"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
        }
        // The ends of a JPEG, which is all that the capture side looks at.
        try show(Data([0xff, 0xd8, 0xff, 0xdb] + [UInt8](repeating: 0x42, count: 20_000) + [0xff, 0xd9]))
    }

    /// What they see from now on: a JPEG.
    func show(_ picture: Data) throws {
        try picture.write(to: URL(fileURLWithPath: "\(scratch.path)/frames/0.jpg"), options: .atomic)
    }

    func remove() { scratch.remove() }

    /// For the programs that are to see them.
    var environment: [String: String] {
        let others = ProcessInfo.processInfo.environment["LD_PRELOAD"].map { ":\($0)" } ?? ""
        return [
            "LD_PRELOAD": library + others, "FAKEV4L_DEV": "\(scratch.path)/dev/",
            "FAKEV4L_FRAMES": "\(scratch.path)/frames",
            "FAKEV4L_LOG": "\(scratch.path)/log"
        ]
    }

    func path(_ node: String) -> String { "\(scratch.path)/dev/\(node)" }

    /// Plugs a camera in, or changes how it behaves; `settings` are the keys of `fakev4l.c`.
    func plug(_ node: String, _ settings: [String: String] = [:]) throws {
        let lines = settings.map { "\($0) \($1)\n" }.sorted().joined()
        try Data(lines.utf8).write(to: URL(fileURLWithPath: path(node)), options: .atomic)
    }

    func unplug(_ node: String) throws { try FileManager.default.removeItem(atPath: path(node)) }

    /// What was done to the nodes: `open`, `stream`, `close`, and their faults.
    func log(of node: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(scratch.path)/log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            .filter { $0.count == 3 && $0[1] == path(node) }.map { $0[2] }
    }

    private static func shell(_ command: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
