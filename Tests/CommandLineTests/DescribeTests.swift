import Foundation
import TestSupport
import Testing

/// `narrator describe` by the contract.
@Suite(.enabled(if: Program.isBuilt, "needs the built program: make build"))
struct DescribeUsageTests {
    @Test(
        arguments: [
            [], ["--format", "xml", "a.jpg"], ["--prompt", "What is it?", "a.jpg"], ["--resolution", "256", "a.jpg"],
            ["--resolution", "300", "a.jpg"], ["--threads", "0", "a.jpg"]
        ])
    func wrongUsageIs64(arguments: [String]) throws {
        let program = Program(["describe"] + arguments)
        try program.start()
        let result = program.finish()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }
}

@Suite(
    .enabled(
        if: Program.isBuilt && RealData.model("efficientnet-lite0") != nil && RealData.shared("images") != nil,
        "needs the built program, the model efficientnet-lite0 and ../shared/data"))
struct DescribeCommandTests {
    private let images = RealData.shared("images") ?? ""

    @Test func jsonHasWhatTheContractSays() throws {
        let result = try Program.run("describe", "--format", "json", "\(images)/coffee.jpg")
        #expect(result.status == 0, "\(result.errors)")
        let line = try #require(result.lines.first)
        #expect(line["file"] as? String == "\(images)/coffee.jpg")
        #expect(line["model"] as? String == "efficientnet-lite0")
        #expect((line["text"] as? String)?.contains("espresso") == true)
        #expect(line["width"] as? Int == 640 && line["height"] as? Int == 480)
        #expect(line["image_tokens"] as? Int == 0 && line["compute_s"] is Double)
        let labels = try #require(line["labels"] as? [[String: Any]])
        #expect(labels.allSatisfy { $0["label"] is String && (0...1).contains($0["p"] as? Double ?? -1) })
    }

    @Test func severalPicturesAreNamedAndABadOneIsPassedOver() throws {
        let files = [
            "\(images)/coffee.jpg", "\(images)/awkward/text.jpg", "\(images)/none.jpg", "\(images)/parrots.jpg"
        ]
        let program = Program(["describe", "--format", "json"] + files)
        try program.start()
        let result = program.finish()
        #expect(result.status == 65)  // that of the first failure
        #expect(result.lines.compactMap { $0["file"] as? String } == files)
        #expect(result.lines.map { $0["error"] is String } == [false, true, true, false])
        let text = try Program.run("describe", files[0], files[3]).output.split(separator: "\n")
        #expect(text.count == 2 && text[0].hasPrefix("\(files[0]): ") && text[1].hasPrefix("\(files[3]): "))
    }

    @Test func aFolderIsAnsweredWithAdvice() throws {
        let result = try Program.run("describe", images)
        #expect(result.status == 65 && result.errors.contains("Name JPEG files"))
    }

    /// EXIF turns the picture: width and height are those of what is shown.
    @Test func sizesAreThoseOfThePictureAsShown() throws {
        let result = try Program.run("describe", "--format", "json", "\(images)/awkward/exif_landscape_6.jpg")
        #expect(result.lines.first?["width"] as? Int == 800 && result.lines.first?["height"] as? Int == 533)
    }
}
