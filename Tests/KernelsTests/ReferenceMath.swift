import Glibc

// Double-precision references; here so that one test file imports the C library.
func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
func complementaryError(_ x: Double) -> Double { erfc(x) }
