import Testing

@testable import Graph

/// Text that was made to hurt, or never was YAML.
struct HostileTopologyTests {
    @Test func aliasesThatMultiplyAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(ExampleKinds.problems(text).first?.contains("more than 16 YAML aliases") == true)
    }

    @Test func fewAliasesThatMultiplyAreBounded() {
        var text = "b0: &b0 [\(Array(repeating: "x", count: 900).joined(separator: ", "))]\n"
        for level in 1...4 {
            let aliases = Array(repeating: "*b\(level - 1)", count: 4).joined(separator: ", ")
            text += "b\(level): &b\(level) [\(aliases)]\n"
        }
        #expect(ExampleKinds.problems(text).contains { $0.contains("more than 10000 values") })
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func deepNestingIsRefused(opening: String) {
        #expect(!ExampleKinds.problems(String(repeating: opening, count: 20_000)).isEmpty)
        #expect(!ExampleKinds.problems("stages: " + String(repeating: opening, count: 40) + "x").isEmpty)
    }

    @Test func starsInCommentsAndPromptsAreNoAliases() {
        let stars = String(repeating: "* *** ", count: 20)
        let text = ExampleKinds.narrate + "\n# *a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*q*r\n# \(stars)\n"
        #expect(ExampleKinds.problems(text) == [])
    }

    @Test func anAliasMayStillSaveWriting() throws {
        let text = """
            stages:
              m: { kind: microphone }
              s: { kind: resample, from: m, queue: &q { capacity: 3 } }
              t: { kind: resample, from: s, queue: *q }
            """
        #expect(try ExampleKinds.parse(text)["t"]?.queue.capacity == 3)
    }

    @Test func noTextMakesItCrash() {
        let text = ExampleKinds.narrate
        let bytes = Array(text.utf8)
        let spoilers: [UInt8] = Array("{}[]:,&*!|>'\"%@`#?-\n\t\u{0}~<=".utf8)
        for index in bytes.indices {
            _ = ExampleKinds.problems(String(decoding: bytes[..<index], as: UTF8.self))
            var spoiled = bytes
            spoiled[index] = spoilers[index % spoilers.count]
            _ = ExampleKinds.problems(String(decoding: spoiled, as: UTF8.self))
        }
    }
}
