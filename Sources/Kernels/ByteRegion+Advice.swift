internal import Glibc

// Wishes to the system about how memory is read: errors mean nothing.

extension ByteRegion {
    /// Page by page is how a table is read of which each token needs one row.
    func adviseRandomAccess() { Kernels.advise(start, count, MADV_RANDOM) }

    /// Lets go of the memory that holds the whole pages of a mapped file's part: it is read again when it is used again.
    package func discardPages() {
        if isMapped { Kernels.advise(start, count, MADV_DONTNEED) }
    }

    /// Lets go of what reading a row brought with it: a fault can map a run of pages as long as a large one.
    func discardPages(around range: Range<Int>) {
        let wide = max(range.lowerBound - largePageBytes, 0)..<min(range.upperBound + largePageBytes, count)
        self[wide].discardPages()
    }

    /// Weights of products are read from end to end. Of a mapped file this asks for large pages of its cache, too, where
    /// the file system has them.
    func adviseStreaming() { adviseLargePages(start, count) }
}

/// Below this a large page holds little else but what it is asked for.
private let largePageBytes = 2 << 20

/// Where memory of `byteCount` bytes begins so that large pages fit.
func alignmentForLargePages(_ byteCount: Int, otherwise alignment: Int) -> Int {
    byteCount >= largePageBytes ? largePageBytes : alignment
}

/// Asks for large pages before the first touch: with small ones a core that streams through a gigabyte waits for page tables.
func adviseLargePages(_ start: UnsafeRawPointer, _ byteCount: Int) {
    if byteCount >= largePageBytes { advise(start, byteCount, MADV_HUGEPAGE) }
}

/// The whole pages in a range.
func advise(_ start: UnsafeRawPointer, _ byteCount: Int, _ advice: CInt) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (Int(bitPattern: start) + page - 1) / page * page
    let last = (Int(bitPattern: start) + byteCount) / page * page
    if first < last, let address = UnsafeMutableRawPointer(bitPattern: first) { madvise(address, last - first, advice) }
}
