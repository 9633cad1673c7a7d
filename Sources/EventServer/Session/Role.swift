/// What a client may do.
package enum Role: String, Sendable {
    /// Everything.
    case control
    /// Look, never touch.
    case read

    func may(_ needed: Role) -> Bool { self == .control || needed == .read }
}
