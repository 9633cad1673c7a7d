/// A part of a picture, whatever its size: sides in 0...1 of width and height, from the top left corner.
package struct UnitRectangle: Hashable, Sendable {
    package let left: Double
    package let top: Double
    package let right: Double
    package let bottom: Double

    /// Nil unless 0 ≤ left < right ≤ 1 and 0 ≤ top < bottom ≤ 1.
    package init?(left: Double, top: Double, right: Double, bottom: Double) {
        guard 0 <= left, left < right, right <= 1, 0 <= top, top < bottom, bottom <= 1 else { return nil }
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }
}
