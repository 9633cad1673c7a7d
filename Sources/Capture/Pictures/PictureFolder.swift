import Glibc

/// The files of a folder, as people number them.
enum PictureFolder {
    /// The names of all files that are not hidden, in natural order: `2.jpg` before `10.jpg`. Subfolders are left out
    /// where the file system tells them apart.
    /// - Throws: `fileMissing`, `notPermitted`, or `badPictures`.
    static func names(in path: String) throws(CaptureError) -> [String] {
        guard let folder = opendir(path) else {
            switch errno {
            case ENOENT, ENOTDIR: throw .fileMissing(path: path)
            case EACCES, EPERM: throw .notPermitted(name: path)
            case let code: throw .badPictures(path: path, reason: errorText(code).lowercased())
            }
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let type = Int(entry.pointee.d_type)
            guard type == Int(DT_REG) || type == Int(DT_LNK) || type == Int(DT_UNKNOWN) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted(by: precedes)
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Does the name say that the file is a JPEG?
    static func claimsJPEG(_ name: String) -> Bool {
        let name = name.lowercased()
        return [".jpg", ".jpeg", ".jpe", ".jfif"].contains { name.hasSuffix($0) }
    }

    /// Runs of digits compare as numbers of any length, all else byte by byte; equal numbers by their zeros.
    static func precedes(_ a: String, _ b: String) -> Bool {
        let (first, second) = (pieces(a), pieces(b))
        for (x, y) in zip(first, second) where x != y {
            guard let digits = x.first, isDigit(digits), let others = y.first, isDigit(others) else {
                return x.lexicographicallyPrecedes(y)
            }
            let (number, other) = (x.drop { $0 == zero }, y.drop { $0 == zero })
            if number.count != other.count { return number.count < other.count }
            if !number.elementsEqual(other) { return number.lexicographicallyPrecedes(other) }
        }
        // Where only zeros differ, as in 1 and 01, any fixed order will do.
        return first.count == second.count ? a.utf8.lexicographicallyPrecedes(b.utf8) : first.count < second.count
    }

    private static let zero = UInt8(ascii: "0")

    private static func isDigit(_ byte: UInt8) -> Bool { (zero...UInt8(ascii: "9")).contains(byte) }

    /// Runs of digits, and single other bytes.
    private static func pieces(_ name: String) -> [ArraySlice<UInt8>] {
        let bytes = Array(name.utf8)
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let first = rest.first {
            let piece = isDigit(first) ? rest.prefix(while: isDigit) : rest.prefix(1)
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}
