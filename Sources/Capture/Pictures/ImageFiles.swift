package import Media

/// Picture files as a source: `image_files`.
///
/// The path is a folder, of which every JPEG gives a picture, or a file that gives all its pictures: a JPEG, JPEGs one
/// after the other (MJPEG), or a multipart stream. What a file is, its content tells.
/// ```
/// folder ─natural order─► files ─┐
///                         file ──┴─► PictureFile ─► MultipartSplitter ─► MJPEGSplitter ─► VideoFrame at i / fps
/// ```
/// Nothing is left out silently: `report` hears of each file once, and `losses` counts.
package struct ImageFiles: ~Copyable, PictureSource {
    package let path: String
    private let times: FrameTimes
    private let loops: Bool
    private let maximumPictureBytes: Int
    private let report: @Sendable (String) -> Void
    private let isFolder: Bool

    /// Names of this pass that are still to come, the next one last.
    private var files: [String] = []
    private var current: PictureFile?
    private var framesOut = 0
    /// As it was when the pass began.
    private var framesBefore = 0
    private var told: Set<String> = []
    private var lost = SplitStatistics()
    private var skippedFiles = 0
    /// Files of a folder whose first picture was taken and others were not.
    private var filesWithMore = 0

    /// Opens the file or lists the folder; what is in it shows in `next`.
    /// - Parameters:
    ///   - framesPerSecond: within `FrameTimes.rates`.
    ///   - loops: begins again at the end; stream time goes on.
    ///   - report: hears once of each file from which something is left out.
    /// - Throws: `fileMissing`, `notPermitted`, or `badPictures` for an empty file, a folder without files, a device.
    package init(
        path: String, framesPerSecond: Double = 5, loops: Bool = false,
        maximumPictureBytes: Int = MJPEGSplitter.maximumPictureBytes,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(CaptureError) {
        self.path = path
        self.loops = loops
        self.maximumPictureBytes = maximumPictureBytes
        self.report = report
        times = FrameTimes(framesPerSecond: framesPerSecond)
        isFolder = PictureFolder.isFolder(path)
        try beginPass()
    }

    /// - Throws: `badPictures` when a whole pass gave no picture. Of a folder, files that cannot be read are left out.
    package mutating func next() throws(CaptureError) -> VideoFrame? {
        while true {
            if let picture = isFolder ? try nextOfFolder() : try nextOfFile() {
                defer { framesOut += 1 }
                return VideoFrame(
                    time: times.time(of: framesOut), size: picture.size, format: .mjpeg, bytesPerRow: 0,
                    bytes: picture.bytes)
            }
            guard framesOut > framesBefore else {
                throw .badPictures(path: path, reason: "no whole JPEG was found in it")
            }
            guard loops else { return nil }
            try beginPass()
        }
    }

    package var losses: String? {
        var sum = lost
        sum += currentStatistics
        let counts = [
            (sum.damaged, "damaged picture(s)"), (sum.oversized, "picture(s) over the size limit"),
            (skippedFiles, "file(s) that hold no picture"), (filesWithMore, "file(s) behind their first picture")
        ]
        let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return parts.isEmpty
            ? nil : "'\(path)' gave \(framesOut) picture(s); left out: \(parts.joined(separator: ", "))"
    }

    private var currentStatistics: SplitStatistics {
        switch current {
        case .some(let file): file.statistics
        case .none: SplitStatistics()
        }
    }

    private mutating func beginPass() throws(CaptureError) {
        framesBefore = framesOut
        guard isFolder else {
            current = try PictureFile(path: path, maximumPictureBytes: maximumPictureBytes)
            return
        }
        files = try PictureFolder.names(in: path).reversed()
        if files.isEmpty { throw .badPictures(path: path, reason: "the folder has no files") }
    }

    private mutating func nextOfFile() throws(CaptureError) -> SplitPicture? {
        let picture = try current?.next()
        tellDamage(in: path)
        if picture == nil { closeFile() }
        return picture
    }

    /// A file of a folder is a photograph: its first picture counts. Behind it phones put previews and depth maps.
    private mutating func nextOfFolder() throws(CaptureError) -> SplitPicture? {
        while let name = files.popLast() {
            let file = "\(path)/\(name)"
            do throws(CaptureError) {
                current = try PictureFile(path: file, maximumPictureBytes: maximumPictureBytes)
                defer { closeFile() }
                // Videos and documents hold JPEGs too, but are no photographs.
                guard PictureFolder.claimsJPEG(name) || current?.startsAsJPEG() == true else { continue }
                guard let first = try current?.next() else {
                    throw CaptureError.badPictures(path: file, reason: "it holds no whole JPEG")
                }
                if try current?.next() != nil {
                    filesWithMore += 1
                    tell("only the first picture of '\(file)' is shown; give the file alone to see all", of: file)
                }
                tellDamage(in: file)
                return first
            } catch  where PictureFolder.claimsJPEG(name) {
                skippedFiles += 1
                if case .badPictures(_, let reason) = error {
                    tell("left out '\(file)': \(reason)", of: file)
                } else {
                    tell("left out: \(error)", of: file)
                }
            } catch {}  // no picture by name, and nothing to be read in it
        }
        return nil
    }

    private mutating func closeFile() {
        lost += currentStatistics
        current = nil
    }

    private mutating func tellDamage(in file: String) {
        guard currentStatistics.damaged + currentStatistics.oversized > 0 else { return }
        tell("'\(file)' has damaged pictures; they are left out", of: file)
    }

    private mutating func tell(_ text: String, of file: String) {
        if told.insert(file).inserted { report(text) }
    }
}
