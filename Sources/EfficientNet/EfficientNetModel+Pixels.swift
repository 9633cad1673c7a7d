package import Kernels
package import Signal
import Media

extension EfficientNetModel {
    /// A picture as the network takes it.
    ///
    /// This is the preprocessing that `efficientnet-lite-pytorch` 0.1.0 documents, as torchvision does it on Pillow pictures:
    /// Resize(S) brings the shorter side to S and the other to ⌊S·long/short⌋, bilinear with antialias; CenterCrop(S);
    /// then (value/255 - mean) / deviation with the means and deviations of ImageNet.
    /// - Parameter picture: 3 channels; one channel counts as gray.
    /// - Returns: [S·S, 3], S = `inputSize`.
    package func pixels(from picture: Picture) -> Tensor<Float> {
        let side = inputSize
        let middle = picture.withoutFarEnds()
        let (width, height) = (middle.width, middle.height)
        let size =
            width < height
            ? PixelSize(width: side, height: side * height / width)
            : PixelSize(width: side * width / height, height: side)
        let resized = middle.resized(to: size, .bilinear, as: .pillow)
        let (left, top) = (Self.margin(size.width - side), Self.margin(size.height - side))
        let channels = resized.channels
        let output = Tensor<Float>(side * side, 3, filledWith: 0)
        resized.pixels.withUnsafeBufferPointer { bytes in
            var values = output.mutableSpan
            for y in 0..<side {
                var source = ((top + y) * size.width + left) * channels
                for x in 0..<side {
                    for channel in 0..<3 {
                        let value = Float(bytes[source + (channels == 3 ? channel : 0)])
                        values[(y * side + x) * 3 + channel] =
                            (value / 255 - Self.mean[channel]) / Self.deviation[channel]
                    }
                    source += channels
                }
            }
        }
        return output
    }

    private static let mean: InlineArray<3, Float> = [0.485, 0.456, 0.406]
    private static let deviation: InlineArray<3, Float> = [0.229, 0.224, 0.225]

    /// Python's round(rest / 2): halves to even.
    private static func margin(_ rest: Int) -> Int { Int((Double(rest) / 2).rounded(.toNearestOrEven)) }
}

extension Picture {
    /// Cut to the middle where one side is more than 8 times the other: the crop shows nothing of the rest, and a picture of
    /// 1 x 2000 would grow to 224 x 448,000 before it.
    fileprivate func withoutFarEnds() -> Picture {
        let longest = 8 * min(width, height)
        return max(width, height) <= longest
            ? self : centreCropped(to: PixelSize(width: min(width, longest), height: min(height, longest)))
    }
}
