import Daemon
import EventServer
import Events
import Foundation
import Graph
import Testing

/// `set` and `reload` on a graph that runs.
struct PipelineCommandsTests {
    private let orders = Listener.Orders()

    private static func file(level: String = "1", size: String = "1", more: String = "") -> String {
        """
        name: test
        stages:
          desk: { kind: silence }
          a: { kind: listener, from: desk, level: \(level), size: \(size) }
        \(more)
        """
    }

    private func withCommands(
        overrides: [Override] = [],
        _ body: (PipelineCommands, RunningGraph, (String) throws -> Void) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
        try write(Self.file())
        let registry = fakeRegistry(orders)
        let topology = try Topology.parse(Self.file(), file: path, overrides: overrides, registry: registry)
        try await withGraph(topology) { graph in
            let commands = PipelineCommands(
                graph: graph, registry: registry, text: Self.file(), overrides: overrides, turnstile: Turnstile())
            try await body(commands, graph, write)
        }
    }

    private func refusal(_ body: () async throws(CommandError) -> JSONValue) async -> CommandError? {
        do throws(CommandError) {
            Issue.record("it was granted: \(try await body())")
            return nil
        } catch { return error }
    }

    @Test func `set changes a stage that runs, one key or several`() async throws {
        try await withCommands { commands, graph, _ in
            let reply = try await commands.set(["stage": "a", "key": "level", "value": 5])
            #expect(reply == ["stage": "a", "settings": ["level": 5]])
            #expect(graph.topology["a"]?.settings.integer("level") == 5)
            _ = try await commands.set(["stage": "a", "settings": ["level": 7]])
            #expect(orders.all == ["a level 5", "a level 7"])
        }
    }

    @Test(
        arguments: [
            (["stage": "b", "key": "level", "value": 1], "stage"), (["key": "level", "value": 1], "stage"),
            (["stage": "a", "key": "level"], "key"), (["stage": "a"], "key"),
            (["stage": "a", "settings": [:]], "settings"), (["stage": "a", "key": "levl", "value": 1], "key"),
            (["stage": "a", "key": "size", "value": 2], "key"), (["stage": "a", "settings": ["size": 2]], "settings"),
            (["stage": "a", "key": "level", "value": 99], "value"),
            (["stage": "a", "key": "level", "value": "loud"], "value")
        ] as [(JSONObject, String)])
    func `set refuses what the file would not take, and what cannot change`(
        fields: JSONObject, field: String
    ) async throws {
        try await withCommands { commands, graph, _ in
            let error = await refusal { () async throws(CommandError) in try await commands.set(fields) }
            #expect(error?.code == .badValue)
            #expect(error?.field == field)
            #expect(graph.topology["a"]?.settings.integer("level") == 1)
        }
        #expect(orders.all.isEmpty)
    }

    @Test func `reload changes what changed and says what`() async throws {
        try await withCommands { commands, graph, write in
            let same = try await commands.reload()
            #expect(same == ["added": [], "removed": [], "restarted": [], "adjusted": []])
            try write(Self.file(level: "4", more: "  b: { kind: listener, from: desk }"))
            let more = try await commands.reload()
            #expect(more == ["added": ["b"], "removed": [], "restarted": [], "adjusted": ["a"]])
            try write(Self.file(level: "4", size: "2"))
            let less = try await commands.reload()
            #expect(less == ["added": [], "removed": ["b"], "restarted": ["a"], "adjusted": []])
            #expect(orders.all.filter { $0.hasPrefix("a level") } == ["a level 4"])
            #expect(graph.topology["a"]?.settings.integer("size") == 2)
        }
    }

    @Test func `a bad file changes nothing and says why`() async throws {
        try await withCommands { commands, graph, write in
            try write(Self.file(level: "99", more: "  c: { kind: listner, from: desk }"))
            let error = await refusal(commands.reload)
            #expect(error?.code == .badConfiguration)
            #expect(error?.message.contains(":4:") == true && error?.message.contains("'listener'") == true)
            #expect(graph.topology["a"]?.settings.integer("level") == 1)
            // What was read in vain is forgotten, too.
            _ = try await commands.set(["stage": "a", "key": "level", "value": 3])
            #expect(orders.all == ["a level 3"])
        }
    }

    @Test func `the command line outlives a reload, what was set does not`() async throws {
        try await withCommands(overrides: [Override("a.size=8")]) { commands, graph, write in
            _ = try await commands.set(["stage": "a", "key": "level", "value": 6])
            try write(Self.file(size: "3"))
            _ = try await commands.reload()
            #expect(graph.topology["a"]?.settings.integer("size") == 8)
            #expect(graph.topology["a"]?.settings.integer("level") == 1)
        }
    }
}
