import TestSupport
import Testing
import Weights

struct TorchTests {
    @Test func readsWhatTorchSavedBefore16() throws {
        let file = try TemporaryFile(TorchFile.sample.bytes, name: "model.pth")
        let checkpoint = try Checkpoint.open(file.folder)
        #expect(checkpoint.format == .torch)
        #expect(checkpoint.names == ["count", "half", "none", "plain", "tail", "turned"])
        #expect(try checkpoint.floats("plain", shape: [2, 3]) == [1, 2, 3, 4, 5, 6])
        #expect(try checkpoint.floats("turned", shape: [3, 2]) == [1, 4, 2, 5, 3, 6])
        #expect(try checkpoint.floats("tail", shape: [1, 2, 1]) == [5, 6])
        #expect(try checkpoint.integer("count") == -5)
        #expect(try checkpoint.floats("half", shape: [2]) == [1, -2])
        #expect(try checkpoint.floats("none", shape: [0, 4]) == [])
        #expect(checkpoint.entry("plain")?.isRowMajor == true && checkpoint.entry("tail")?.isRowMajor == true)
        #expect(checkpoint.entry("turned")?.axisOrder == [1, 0])
    }

    @Test func readsAnArchive() throws {
        var archive = ZipFile.sample
        archive.comment = Array("a comment PK\u{5}".utf8)
        let file = try TemporaryFile(archive.bytes, name: "model.pt")
        #expect(try Checkpoint.open(file.path).floats("w", shape: [2]) == [2, -3])
    }

    @Test(
        "Every order of axes comes out row-major",
        arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 1, 0], [1, 2, 3, 0], [0, 2, 3, 1]])
    func turnedTensorsComeOutRowMajor(order: [Int]) throws {
        let shape = [3, 2, 4, 5]
        var strides = [0, 0, 0, 0]
        var distance = 1
        for axis in order.reversed() {
            strides[axis] = distance
            distance *= shape[axis]
        }
        let file = try TemporaryFile(
            TorchFile(
                tensors: [.init(name: "t", shape: shape, strides: strides, key: "k", count: 120)],
                storages: [("k", 120, littleEndian((0..<120).map { Float($0).bitPattern }))]
            ).bytes)
        let values = try Checkpoint.open(file.path).floats("t", shape: shape)
        for index in 0..<120 {
            let place = [index / 40, index / 20 % 2, index / 5 % 4, index % 5]
            #expect(values[index] == Float(zip(place, strides).map { $0 * $1 }.reduce(0, +)))
        }
    }

    static let lies: [(String, TorchFile)] = {
        let tensor = TorchFile.Tensor(name: "a", shape: [2], strides: [1], key: "k", count: 2)
        let payload = (key: "k", claimed: UInt64(2), bytes: [UInt8](repeating: 0, count: 8))
        func lie(_ what: String, _ change: (inout TorchFile) -> Void) -> (String, TorchFile) {
            var file = TorchFile(tensors: [tensor], storages: [payload])
            change(&file)
            return (what, file)
        }
        return [
            lie("a shape beyond its storage") { $0.tensors[0].shape = [3] },
            lie("an offset beyond its storage") { $0.tensors[0].offset = 1 },
            lie("a negative offset") { $0.tensors[0].offset = -1 },
            lie("a negative extent") { $0.tensors[0].shape = [-2] },
            lie("a stride that leaves gaps") { ($0.tensors[0].shape, $0.tensors[0].strides) = ([1, 2], [2, 2]) },
            lie("a stride of zero") { $0.tensors[0].strides = [0] },
            lie("a stride that goes back") { $0.tensors[0].strides = [-1] },
            lie("fewer strides than extents") { $0.tensors[0].strides = [] },
            lie("a shape whose product wraps") {
                $0.tensors[0].shape = [Int](repeating: 1 << 30, count: 4)
                $0.tensors[0].strides = [0, 0, 1 << 30, 1]
            },
            lie("nine axes") {
                $0.tensors[0].shape = [Int](repeating: 1, count: 9)
                $0.tensors[0].strides = $0.tensors[0].shape
            },
            lie("more elements than the storage has") { $0.tensors[0].count = 3 },
            lie("an unknown type") { $0.tensors[0].type = "QUInt8Storage" },
            lie("a tensor without its storage") { $0.storages = [] },
            lie("a storage without a tensor") { $0.storages.append(("x", 0, [])) },
            lie("a storage twice") { $0.storages.append(payload) },
            lie("a storage longer than the file") { $0.storages[0].claimed = .max },
            lie("a tensor twice") { $0.tensors.append($0.tensors[0]) },
            lie("two types of one storage") {
                $0.tensors.append(.init(name: "b", shape: [1], strides: [1], key: "k", count: 2, type: "IntStorage"))
            },
            lie("no tensors") { ($0.tensors, $0.storages) = ([], []) },
            lie("bytes after the end") { $0.tail = [0] }
        ]
    }()

    @Test(arguments: lies.indices)
    func refusesALie(index: Int) throws {
        let (what, lie) = Self.lies[index]
        let file = try TemporaryFile(lie.bytes)
        #expect(throws: WeightsError.self, "\(what)") { try Checkpoint.open(file.path) }
    }

    static let programs: [(String, [UInt8])] = [
        ("a shell command", Pickle().call("os", "system").mark.text("touch /tmp/owned").tuple.reduce.end),
        ("a built-in function", Pickle().call("builtins", "eval").mark.text("1").tuple.reduce.end),
        ("a name of torch that is no storage", Pickle().call("torch", "load").end),
        ("a name that looks like ours", Pickle().call("torch._utils ", "_rebuild_tensor_v2").end),
        ("an instance the old way", Pickle().mark.then(Array("icollections\nOrderedDict\n".utf8)).end),
        ("an object the new way", Pickle().call("collections", "OrderedDict").then([0x29, 0x81]).end),
        ("an extension", Pickle().then([0x82, 1]).end),
        ("an object made of arguments", Pickle().call("collections", "OrderedDict").mark.integer(1).tuple.reduce.end),
        ("a call of a tuple", Pickle().then([0x29, 0x29, 0x52]).end),
        ("state for a tuple", Pickle().then([0x29, 0x7D, 0x62]).end),
        ("an empty stack", Pickle().end),
        ("a mark that is not there", Pickle().tuple.end),
        ("an item below the mark", Pickle().integer(1).mark.then([0x85]).end),
        ("a memo never stored", Pickle().then([0x68, 9]).end),
        ("a text longer than the file", Pickle().then([0x58, 0xFF, 0xFF, 0xFF, 0x7F]).end),
        ("a text that is not UTF-8", Pickle().then([0x58, 1, 0, 0, 0, 0xFF]).end),
        ("a number of 200 bytes", Pickle().then([0x8A, 200] + [UInt8](repeating: 1, count: 200)).end),
        ("a name without an end", Pickle().then([0x63] + [UInt8](repeating: 0x61, count: 5_000)).end),
        ("a list in a list", Pickle().then([0x5D, 0x71, 0, 0x68, 0, 0x61]).end),
        ("an odd dictionary", Pickle().emptyDictionary.mark.integer(1).then([0x75]).end),
        ("tuples in tuples without end", Pickle().then([0x29] + [UInt8](repeating: 0x85, count: 1_000_000)).end),
        ("a stack without end", Pickle().then([UInt8](repeating: 0x4E, count: 1_000_000)).end),
        ("marks without end", Pickle().then([UInt8](repeating: 0x28, count: 1_000_000)).end),
        (
            "a memo without end",
            Pickle().then([0x4E] + (0..<600_000).flatMap { [0x72] + littleEndian(UInt32($0)) }).end
        ),
        ("protocol 4", [0x80, 4, 0x95] + littleEndian(UInt64.max) + [0x2E]),
        ("a number where the tensors should be", Pickle().integer(1).end)
    ]

    @Test(arguments: programs.indices)
    func runsNothing(index: Int) throws {
        let (what, program) = Self.programs[index]
        for bytes in [TorchFile(pickle: program).bytes, ZipFile(files: [("a/data.pkl", program)]).bytes] {
            let file = try TemporaryFile(bytes)
            #expect(throws: WeightsError.self, "\(what)") { try Checkpoint.open(file.path) }
        }
    }

    @Test func saysWhichFunctionWasCalledFor() throws {
        let file = try TemporaryFile(TorchFile(pickle: Self.programs[0].1).bytes)
        let error = #expect(throws: WeightsError.self) { try Checkpoint.open(file.path) }
        #expect(error?.description.contains("'os.system'") == true)
    }

    static let archives: [(String, ZipFile)] = {
        var lies: [(String, ZipFile)] = [("no pickle", ZipFile(files: [("archive/version", [])]))]
        func lie(_ what: String, _ change: (inout ZipFile) -> Void) {
            var file = ZipFile.sample
            change(&file)
            lies.append((what, file))
        }
        lie("compression") { $0.method = 8 }
        lie("a file longer than the archive") { $0.claimedBytes = 1 << 30 }
        lie("a file beyond 4 GB") { $0.claimedBytes = .max }
        lie("a file beyond the archive") { $0.claimedOffset = 1 << 30 }
        lie("files in the directory") { $0.claimedOffset = 1 }
        lie("more files than there are") { $0.claimedFiles = .max }
        lie("a file twice") { $0.files.append($0.files[2]) }
        lie("a storage of another length") { $0.files[1].bytes += [0] }
        lie("a missing storage") { $0.files.remove(at: 1) }
        return lies
    }()

    @Test(arguments: archives.indices)
    func refusesALieInAnArchive(index: Int) throws {
        let (what, lie) = Self.archives[index]
        let file = try TemporaryFile(lie.bytes)
        #expect(throws: WeightsError.self, "\(what)") { try Checkpoint.open(file.path) }
    }
}
