import func Glibc.cos
import func Glibc.sin

/// Power spectrum of a real signal by a mixed-radix fast Fourier transform, several frames side by side.
///
/// Every lane of `Lanes` carries another frame, so all arithmetic is whole vectors without shuffles, and a frame's
/// result does not depend on its neighbours. A real signal of N samples is transformed as a complex one of N/2
/// (even samples real, odd ones imaginary), in passes of Stockham's self-sorting form: no bit reversal.
/// ```
/// samples [N] ─ pairs ─► z [N/2] ─ radix 4·2·5·5 … ─► Z [N/2] ─ untangle ─► |X|² [N/2 + 1]
/// ```
struct RealTransform: Sendable {
    /// Double precision, as quiet bins lie up to 80 dB below loud ones of the same frame and would drown in rounding.
    /// 4 lanes fill whole vector registers anywhere, and all buffers stay in the first-level cache.
    typealias Lanes = SIMD4<Double>
    typealias Scalar = Double

    let size: Int  // N
    private let half: Int  // N / 2
    private let passes: [Pass]
    private let untangleTwiddles: [SIMD2<Scalar>]  // e^(−2πik/N), k in 0...N/4

    private struct Pass: Sendable {
        var radix: Int
        var groups: Int  // butterflies with different twiddles: remaining length / radix
        var stride: Int  // butterflies with the same twiddles
        var twiddles: [SIMD2<Scalar>]  // [groups, radix − 1], (cos, sin) of e^(−2πi p j / (groups · radix))
    }

    /// `size` is even and half of it has no prime factors but 2, 3 and 5.
    init(size: Int) {
        precondition(size >= 4 && size % 2 == 0, "transform of \(size) samples")
        self.size = size
        half = size / 2
        var rest = half
        var stride = 1
        var passes: [Pass] = []
        for radix in [4, 2, 3, 5] {
            while rest % radix == 0 {
                let groups = rest / radix
                let twiddles = (0..<groups).flatMap { p in (1..<radix).map { j in twiddle(p * j, of: rest) } }
                passes.append(Pass(radix: radix, groups: groups, stride: stride, twiddles: twiddles))
                rest = groups
                stride *= radix
            }
        }
        precondition(rest == 1, "transform of \(size) samples: a prime factor above 5")
        self.passes = passes
        untangleTwiddles = (0...half / 2).map { [size] in twiddle($0, of: size) }
    }

    /// Power spectra of the frames in `samples`.
    ///
    /// - Parameters:
    ///   - samples: [N], one frame per lane, windowed. Overwritten.
    ///   - scratch: [N], any content.
    ///   - power: [N/2 + 1], gets |X|² per bin.
    func power(
        of samples: UnsafeMutablePointer<Lanes>, scratch: UnsafeMutablePointer<Lanes>,
        into power: UnsafeMutablePointer<Lanes>
    ) {
        var source = samples  // [N/2] complex: real at 2i, imaginary at 2i + 1
        var target = scratch
        for pass in passes {
            pass.twiddles.withUnsafeBufferPointer { twiddles in
                switch pass.radix {
                case 2: Self.radix2(pass.groups, pass.stride, twiddles.baseAddress!, source, target)
                case 3: Self.radix3(pass.groups, pass.stride, twiddles.baseAddress!, source, target)
                case 4: Self.radix4(pass.groups, pass.stride, twiddles.baseAddress!, source, target)
                default: Self.radix5(pass.groups, pass.stride, twiddles.baseAddress!, source, target)
                }
            }
            swap(&source, &target)
        }
        untangle(source, into: power)
    }

    /// From Z of the paired samples to |X|²: X[k] = E[k] + e^(−2πik/N) O[k], where E and O are the transforms of the
    /// even and odd samples, which are the conjugate-symmetric parts of Z.
    private func untangle(_ z: UnsafeMutablePointer<Lanes>, into power: UnsafeMutablePointer<Lanes>) {
        let direct = z[0] + z[1]
        let nyquist = z[0] - z[1]
        power[0] = direct * direct
        power[half] = nyquist * nyquist
        for k in 1..<half / 2 + 1 {
            let mirror = half - k
            let even = Complex(z[2 * k] + z[2 * mirror], z[2 * k + 1] - z[2 * mirror + 1])
            let odd = Complex(z[2 * k + 1] + z[2 * mirror + 1], z[2 * mirror] - z[2 * k])
            let turned = odd * untangleTwiddles[k]
            power[k] = (even + turned).squared * 0.25
            power[mirror] = (even - turned).squared * 0.25
        }
    }
}

/// A complex number per lane.
private struct Complex {
    var re: RealTransform.Lanes
    var im: RealTransform.Lanes

    @inline(__always) init(_ re: RealTransform.Lanes, _ im: RealTransform.Lanes) {
        self.re = re
        self.im = im
    }

    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.re + b.re, a.im + b.im) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { Self(a.re - b.re, a.im - b.im) }
    @inline(__always) static func * (a: Self, s: RealTransform.Scalar) -> Self { Self(a.re * s, a.im * s) }
    @inline(__always) static func * (a: Self, w: SIMD2<RealTransform.Scalar>) -> Self {
        Self(a.re * w.x - a.im * w.y, a.re * w.y + a.im * w.x)
    }
    /// −i · self.
    @inline(__always) var turnedBack: Self { Self(im, -re) }
    @inline(__always) var squared: RealTransform.Lanes { re * re + im * im }
}

/// e^(−2πi · index / count) as (cos, sin).
private func twiddle(_ index: Int, of count: Int) -> SIMD2<RealTransform.Scalar> {
    let angle = -2 * Double.pi * Double(index % count) / Double(count)
    return SIMD2(cos(angle), sin(angle))
}

// The butterflies. Each pass reads element q + stride · (p + groups · k), k < radix, and writes
// q + stride · (radix · p + j), j < radix, for p < groups and q < stride.
extension RealTransform {
    private typealias Memory = UnsafeMutablePointer<Lanes>
    private typealias Twiddles = UnsafePointer<SIMD2<RealTransform.Scalar>>

    @inline(__always) private static func load(_ x: Memory, _ index: Int) -> Complex {
        Complex(x[2 * index], x[2 * index + 1])
    }

    @inline(__always) private static func store(_ value: Complex, _ y: Memory, _ index: Int) {
        y[2 * index] = value.re
        y[2 * index + 1] = value.im
    }

    private static func radix2(_ groups: Int, _ stride: Int, _ w: Twiddles, _ x: Memory, _ y: Memory) {
        for p in 0..<groups {
            for q in 0..<stride {
                let a = load(x, q + stride * p)
                let b = load(x, q + stride * (p + groups))
                store(a + b, y, q + stride * 2 * p)
                store((a - b) * w[p], y, q + stride * (2 * p + 1))
            }
        }
    }

    private static func radix3(_ groups: Int, _ stride: Int, _ w: Twiddles, _ x: Memory, _ y: Memory) {
        let sin60: Scalar = 0.866_025_403_784_438_6
        for p in 0..<groups {
            for q in 0..<stride {
                let a = load(x, q + stride * p)
                let b = load(x, q + stride * (p + groups))
                let c = load(x, q + stride * (p + 2 * groups))
                let sum = b + c
                let middle = a - sum * 0.5
                let turned = (b - c).turnedBack * sin60
                store(a + sum, y, q + stride * 3 * p)
                store((middle + turned) * w[2 * p], y, q + stride * (3 * p + 1))
                store((middle - turned) * w[2 * p + 1], y, q + stride * (3 * p + 2))
            }
        }
    }

    private static func radix4(_ groups: Int, _ stride: Int, _ w: Twiddles, _ x: Memory, _ y: Memory) {
        for p in 0..<groups {
            for q in 0..<stride {
                let a = load(x, q + stride * p)
                let b = load(x, q + stride * (p + groups))
                let c = load(x, q + stride * (p + 2 * groups))
                let d = load(x, q + stride * (p + 3 * groups))
                let (sumAC, differenceAC) = (a + c, a - c)
                let (sumBD, turnedBD) = (b + d, (b - d).turnedBack)
                store(sumAC + sumBD, y, q + stride * 4 * p)
                store((differenceAC + turnedBD) * w[3 * p], y, q + stride * (4 * p + 1))
                store((sumAC - sumBD) * w[3 * p + 1], y, q + stride * (4 * p + 2))
                store((differenceAC - turnedBD) * w[3 * p + 2], y, q + stride * (4 * p + 3))
            }
        }
    }

    private static func radix5(_ groups: Int, _ stride: Int, _ w: Twiddles, _ x: Memory, _ y: Memory) {
        let (cos72, cos144): (Scalar, Scalar) = (0.309_016_994_374_947_4, -0.809_016_994_374_947_4)
        let (sin72, sin144): (Scalar, Scalar) = (0.951_056_516_295_153_6, 0.587_785_252_292_473_1)
        for p in 0..<groups {
            for q in 0..<stride {
                let a = load(x, q + stride * p)
                let b = load(x, q + stride * (p + groups))
                let c = load(x, q + stride * (p + 2 * groups))
                let d = load(x, q + stride * (p + 3 * groups))
                let e = load(x, q + stride * (p + 4 * groups))
                let (sumBE, turnedBE) = (b + e, (b - e).turnedBack)
                let (sumCD, turnedCD) = (c + d, (c - d).turnedBack)
                let near = a + sumBE * cos72 + sumCD * cos144
                let far = a + sumBE * cos144 + sumCD * cos72
                let nearTurned = turnedBE * sin72 + turnedCD * sin144
                let farTurned = turnedBE * sin144 - turnedCD * sin72
                store(a + sumBE + sumCD, y, q + stride * 5 * p)
                store((near + nearTurned) * w[4 * p], y, q + stride * (5 * p + 1))
                store((far + farTurned) * w[4 * p + 1], y, q + stride * (5 * p + 2))
                store((far - farTurned) * w[4 * p + 2], y, q + stride * (5 * p + 3))
                store((near - nearTurned) * w[4 * p + 3], y, q + stride * (5 * p + 4))
            }
        }
    }
}
