import Events
import Media
import Scenes

/// Prints what pictures show: data to stdout, errors where the format wants them.
struct DescriptionPrinter {
    let format: DescriptionFormat
    let model: String
    /// Several pictures: each line of text begins with its file.
    let namesFiles: Bool
    private let output = StandardOutput()

    init(format: DescriptionFormat, model: String, namesFiles: Bool) {
        self.format = format
        self.model = model
        self.namesFiles = namesFiles
    }

    func show(_ description: PictureDescription, of file: String, compute: MediaTime) throws {
        switch format {
        case .text: try output.write((namesFiles ? "\(file): " : "") + description.text + "\n")
        case .json: try output.write(json(description, file: file, compute: compute).line)
        }
    }

    /// A file that failed: others go on.
    func show(_ failure: CommandFailure, of file: String) throws {
        try failure.show(of: file, asJSON: format == .json, to: output)
    }

    private func json(_ description: PictureDescription, file: String, compute: MediaTime) -> JSONValue {
        var members: JSONObject = [
            "file": .string(file), "model": .string(model), "text": .string(description.text),
            "width": .int(description.size.width), "height": .int(description.size.height),
            "image_tokens": .int(description.imageTokens), "compute_s": .double(compute.roundedSeconds)
        ]
        if let labels = description.labels {
            members["labels"] = .array(
                labels.map {
                    ["label": .string($0.name), "p": .double((Double($0.probability) * 10_000).rounded() / 10_000)]
                })
        }
        return .object(members)
    }
}
