import Events
import Testing

struct JSONValueTests {
    @Test func objectsKeepTheOrderOfTheirMembers() {
        let value: JSONValue = ["b": 1, "a": [true, nil, 0.5, "x"], "c": [:]]
        #expect(value.jsonText == #"{"b":1,"a":[true,null,0.5,"x"],"c":{}}"#)
    }

    @Test(arguments: [
        #"{"a":[1,-2,0.25,1e+20,true,false,null],"b":{"c":"d"}}"#, "[]", "{}", #""å – 漢字 😀""#, "-0.5",
        "9223372036854775807"
    ])
    func whatIsReadIsWrittenAsItWas(text: String) throws {
        #expect(try JSONValue(parsing: text).jsonText == text)
    }

    @Test func escapesSurviveTheRoundTrip() throws {
        let text = "quote \" backslash \\ line \n tab \t bell \u{7} delete \u{7F} snowman ☃"
        #expect(try JSONValue(parsing: JSONValue.string(text).jsonText) == .string(text))
        #expect(JSONValue.string(text).line.filter { $0 == 0x0A }.count == 1, "a line feed only ends the message")
    }

    @Test func surrogatePairsAreOneCharacter() throws {
        #expect(try JSONValue(parsing: #""\ud83d\ude00\u0041\/""#) == .string("😀A/"))
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\":1,\"a\":2}", "01", "1.", "-", "1e", "tru", "\"\\x\"",
        #""\ud83d""#, #""\ude00""#, "\"\u{1}\"", "1 2", "nan", "1e999", "\"open", "[1}", "'a'"
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test func hostileDepthIsRefused() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: deep) }
        _ = try JSONValue(parsing: String(repeating: "[", count: 60) + String(repeating: "]", count: 60))
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22] as [UInt8]) }
    }

    @Test func numbersThatDoNotFitStayNumbers() throws {
        #expect(try JSONValue(parsing: "123456789012345678901234567890").double == 1.2345678901234568e29)
        #expect(try JSONValue(parsing: "5.0").int == 5)
        #expect(try JSONValue(parsing: "5.5").int == nil)
        #expect(JSONValue.double(.nan).jsonText == "null")
    }
}
