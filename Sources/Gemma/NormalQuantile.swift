import Foundation

/// The x below which a share `probability` of the standard normal distribution lies; 0 < probability < 1.
///
/// Newton's method on the distribution function: from 0 it converges without overshooting, as the function is concave beyond.
func normalQuantile(_ probability: Double) -> Double {
    if probability < 0.5 { return -normalQuantile(1 - probability) }
    var x = 0.0
    for _ in 0..<200 {
        // The tail, so that nothing cancels close to 1.
        let excess = 0.5 * erfc(x / 2.0.squareRoot()) - (1 - probability)
        let step = excess / (exp(-x * x / 2) / (2 * Double.pi).squareRoot())
        x += step
        if step < 1e-14 { break }
    }
    return x
}
