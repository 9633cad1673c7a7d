internal import CKernels
internal import Glibc

/// Which row of kernels runs: the arithmetic floor of the house.
///
/// `CKernels` holds every kernel once per instruction set. This module gives them a Swift face of tensors and spans, picks
/// the row once per process, and brings the threads:
/// ```
/// Layers ─► PackedMatrix, AttentionHeads, row functions ─► InstructionSet.kernels ─► ck_*_{scalar, avx2, avx512, ...}
///      └──► ThreadPool
/// ```
package enum InstructionSet: String, CaseIterable, Sendable {
    /// Plain C: the definition the others are tested against.
    case scalar
    /// AVX2, FMA and F16C.
    case avx2
    /// AVX-512 F, BW, VL and DQ; int8 as `avx2`.
    case avx512
    /// `avx512` with dot products of int8 in one instruction.
    case avx512vnni
    /// `avx512vnni` with dot products of bfloat16 in one instruction.
    case avx512bf16

    /// Whether this processor and build have it.
    package var isSupported: Bool { row != nil }

    /// The best supported one, or the one that the environment variable `KERNELS` names.
    package static let active: InstructionSet = choose(forced: getenv("KERNELS").map { String(cString: $0) })

    /// `forced` if it names a supported one, else the best.
    package static func choose(forced: String?) -> InstructionSet {
        let supported = allCases.filter(\.isSupported)
        if let forced, let chosen = InstructionSet(rawValue: forced), supported.contains(chosen) { return chosen }
        return supported.last ?? .scalar
    }

    /// The kernels themselves.
    var kernels: ck_kernels {
        guard let row else { preconditionFailure("\(rawValue) is not supported here; see isSupported") }
        return row.pointee
    }

    private var row: UnsafePointer<ck_kernels>? {
        switch self {
        case .scalar: ck_kernels_for(CInt(CK_SCALAR))
        case .avx2: ck_kernels_for(CInt(CK_AVX2))
        case .avx512: ck_kernels_for(CInt(CK_AVX512))
        case .avx512vnni: ck_kernels_for(CInt(CK_AVX512VNNI))
        case .avx512bf16: ck_kernels_for(CInt(CK_AVX512BF16))
        }
    }
}
