/// What an `Exchange` asks of the way to a client, from any thread. Neither may block.
protocol ClientOutlet: Sendable {
    /// There is something to `take`.
    func wake()
    /// Ends the connection, whatever still waits.
    func hangUp(after grace: Duration)
}
