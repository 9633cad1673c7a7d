import Foundation
import Graph
import Testing

/// Every file of `Broken` is refused with the words in the file beside it.
struct BrokenPipelineTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Broken")

    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
        .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

    @Test(arguments: names)
    func isRefusedWithTheExpectedWords(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let expected = try String(contentsOf: Self.folder.appending(path: name + ".expected"), encoding: .utf8)
        var message = ""
        do throws(TopologyError) {
            _ = try Topology.parse(text, file: name, registry: ExampleKinds.registry)
        } catch {
            message = "\(error)\n"
        }
        #expect(message == expected)
    }

    @Test func thereAreFiles() { #expect(Self.names.count >= 10) }
}
