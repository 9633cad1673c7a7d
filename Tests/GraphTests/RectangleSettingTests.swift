import Graph
import Media
import Testing

struct RectangleSettingTests {
    private func zones(_ text: String, set arguments: [String] = []) throws -> [UnitRectangle]? {
        let topology = try ExampleKinds.parse(
            """
            stages:
              camera: { kind: camera\(text) }
            """, set: arguments)
        return topology["camera"]?.settings.rectangles("zones")
    }

    private let left = UnitRectangle(left: 0, top: 0, right: 0.5, bottom: 1)!
    private let middle = UnitRectangle(left: 0.25, top: 0.3, right: 0.75, bottom: 0.7)!

    @Test func aListOfRectanglesIsRead() throws {
        #expect(try zones(", zones: [[0, 0, 0.5, 1], [0.25, 0.3, 0.75, 0.7]]") == [left, middle])
        #expect(try zones(", zones: []") == [])
        #expect(try zones("") == [])
    }

    @Test func fourNumbersAreOneRectangle() throws {
        #expect(try zones(", zones: [0.25, 0.3, 0.75, 0.7]") == [middle])
    }

    @Test func anArgumentMayGiveThem() throws {
        #expect(try zones(", zones: [[0, 0, 1, 1]]", set: ["camera.zones=[[0, 0, 0.5, 1]]"]) == [left])
    }

    @Test(arguments: [(0.5, 0, 0.5, 1), (0, 0, 1.001, 1), (-0.1, 0, 1, 1), (0, 1, 1, 0), (.nan, 0, 1, 1)])
    func aRectangleLiesWithinThePicture(left: Double, top: Double, right: Double, bottom: Double) {
        #expect(UnitRectangle(left: left, top: top, right: right, bottom: bottom) == nil)
    }
}
