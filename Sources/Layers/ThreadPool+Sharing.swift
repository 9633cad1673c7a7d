package import Kernels

extension ThreadPool {
    /// Numbers per task of an elementwise loop: about 5 µs, well above the cost of waking a thread.
    private static let numbersPerTask = 32_768

    /// Shares out `rows` of `columns` numbers in runs that are worth a thread.
    package func shareRows(_ rows: Int, of columns: Int, _ body: (Range<Int>) -> Void) {
        let rowsPerTask = max(1, Self.numbersPerTask / max(columns, 1))
        run((rows + rowsPerTask - 1) / rowsPerTask) { task in
            body(task * rowsPerTask..<min((task + 1) * rowsPerTask, rows))
        }
    }

    /// Calls `body` with runs of `count` numbers, each of which takes as long as `cost` simple ones.
    package func shareNumbers(_ count: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        let perTask = max(1, Self.numbersPerTask / cost)
        run((count + perTask - 1) / perTask) { task in
            body(task * perTask..<min((task + 1) * perTask, count))
        }
    }
}
