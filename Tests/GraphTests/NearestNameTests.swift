import Testing

@testable import Graph

struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("vda", "vad", 1), ("silense_ms", "silence_ms", 1),
        ("ca", "abc", 3)
    ])
    func distanceCountsEdits(a: String, b: String, edits: Int) {
        #expect(editDistance(a, b) == edits)
        #expect(editDistance(b, a) == edits)
    }

    @Test func onlyANearNameIsSuggested() {
        let names = ["alsa", "endpoint", "resample", "events"]
        #expect(nearestName(to: "endpiont", among: names) == "endpoint")
        #expect(nearestName(to: "ALSA", among: names) == "alsa")
        #expect(nearestName(to: "telephone", among: names) == nil)
        #expect(
            suggestion(for: "x", among: names, called: "kinds") == "The kinds are: alsa, endpoint, resample, events.")
    }
}
