import EfficientNet
import Testing

struct ImageNetLabelsTests {
    @Test func everyClassHasANameOfItsOwn() {
        #expect(ImageNetLabels.names.count == 1_000)
        #expect(Set(ImageNetLabels.names.map { $0.lowercased() }).count == 1_000)
    }

    @Test func namesAreWordsForPeople() {
        for name in ImageNetLabels.names {
            #expect(!name.isEmpty && name.count <= 30 && !name.contains("_") && name.first != " " && name.last != " ")
        }
    }

    @Test(arguments: [
        (0, "tench"), (88, "macaw"), (134, "crane (bird)"), (281, "tabby cat"), (504, "coffee mug"),
        (517, "construction crane"), (638, "one-piece swimsuit"), (837, "sunglasses"), (967, "espresso"),
        (999, "toilet paper")
    ])
    func namesStandInTheOrderOfTheClasses(index: Int, name: String) { #expect(ImageNetLabels.names[index] == name) }

    @Test func labelsComeBestFirstAndNeverNone() throws {
        let model = try Tiny.model()
        var probabilities = [Float](repeating: 0.001, count: 10)
        #expect(model.labels(probabilities).map(\.name) == ["class 0"])
        (probabilities[7], probabilities[3], probabilities[4]) = (0.5, 0.3, 0.3)
        #expect(model.labels(probabilities).map(\.name) == ["class 7", "class 3", "class 4"])
        #expect(model.labels(probabilities, count: 2).map(\.name) == ["class 7", "class 3"])
    }
}
