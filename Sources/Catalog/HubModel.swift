import Foundation

/// A model on its publisher's hub that is given only to those who accepted its licence, and that is kept as a file made of
/// what was published.
///
/// The hashes of such files cannot stand in the catalogue: who writes it cannot fetch them for all who use it. So the hub
/// itself is asked, over its own connection, never the servers it sends on to: the answer for a large file names its
/// SHA-256 (`X-Linked-ETag`), that for a small one the SHA-1 that git gives it (`ETag`). A file that arrives is compared
/// with that, one whose hash the hub does not tell is not taken, and of the file made of them the SHA-256 is recorded in
/// the store and verified from then on, as the catalogue's hashes are. That protects from damage and from other servers;
/// it does not from a hub that lies, nor from somebody who can write into the store.
package struct HubModel: Sendable, Equatable {
    /// `owner/name` on the hub.
    package let repository: String
    /// Fetched by name; the shards are those that the index names.
    package let files: [String]
    /// Roughly, of all that is fetched.
    package let bytes: Int
    /// In what weights it can be kept; the first unless somebody asks.
    package let weights: [String]

    static let index = "model.safetensors.index.json"

    /// The file that is made, in the model's folder.
    package func file(_ weights: String) -> String { "model-\(weights).gguf" }

    /// The user's hub: `HF_ENDPOINT`, as the hub's own tools know it, else huggingface.co.
    static func endpoint(_ environment: [String: String]) -> String {
        environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://huggingface.co"
    }

    /// Where a person reads the licence and accepts it.
    func page(_ environment: [String: String]) -> String { "\(Self.endpoint(environment))/\(repository)" }

    /// - Throws: `Download.Failure` when `HF_ENDPOINT` is no address.
    func url(of file: String, _ environment: [String: String]) throws(Download.Failure) -> URL {
        let folder = "\(page(environment))/resolve/main"
        guard let url = URL(string: folder), url.host != nil else {
            throw Download.Failure(reason: "HF_ENDPOINT is no address of a hub: '\(Self.endpoint(environment))'")
        }
        return url.appendingPathComponent(file)
    }

    /// The shards that an index names, in the order of their names.
    /// - Throws: `Download.Failure` for an index that is none, or names what cannot be a file of this model.
    static func shards(index: Data) throws(Download.Failure) -> [String] {
        struct Index: Decodable { let weight_map: [String: String] }
        guard let index = try? JSONDecoder().decode(Index.self, from: index) else {
            throw Download.Failure(reason: "\(Self.index) is no index of shards")
        }
        let names = Set(index.weight_map.values)
        let isPlain = { (name: String) in
            name.hasSuffix(".safetensors") && !name.hasPrefix(".")
                && name.utf8.allSatisfy {
                    UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "-_.".utf8.contains($0)
                        || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
                }
        }
        guard (1...64).contains(names.count), names.allSatisfy(isPlain) else {
            throw Download.Failure(reason: "\(Self.index) names files that cannot be shards")
        }
        return names.sorted()
    }
}
