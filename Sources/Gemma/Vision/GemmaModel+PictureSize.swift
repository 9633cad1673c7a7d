extension GemmaModel {
    /// Sides of pictures, in pixels, that the published model was trained for.
    package static let pictureSides = [256, 512, 768]

    /// The side that the checkpoint's preprocessor makes; the largest if it has none, or none of these.
    /// - Throws: `GemmaError.badConfig`, `WeightsError`.
    package func pictureSide() throws -> Int {
        let largest = Self.pictureSides.last!
        guard case .object(let size)? = try preprocessorValues()["size"], case .number(let number)? = size["height"],
            let side = Int(exactly: number), Self.pictureSides.contains(side)
        else {
            return largest
        }
        return side
    }
}
