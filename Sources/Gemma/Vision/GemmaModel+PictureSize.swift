extension GemmaModel {
    /// Sides of pictures, in pixels, that the published model was trained for.
    package static let pictureSides = [256, 512, 768]

    /// The side that the checkpoint's preprocessor makes; the largest if it has none, or none of these.
    /// - Throws: `GemmaError.badConfig`, `WeightsError`.
    package func pictureSide() throws -> Int {
        let largest = Self.pictureSides.last!
        let side = try processorSide()
        return Self.pictureSides.contains(side) ? side : largest
    }

    /// The side that the checkpoint's preprocessor makes, whatever it is.
    /// - Throws: `GemmaError.badConfig`, `WeightsError`.
    func processorSide() throws -> Int {
        guard case .object(let size)? = try preprocessorValues()["size"], case .number(let number)? = size["height"],
            let side = Int(exactly: number), (1...GemmaVisionConfig.maxSide).contains(side)
        else { return Self.pictureSides.last! }
        return side
    }
}
