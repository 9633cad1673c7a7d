import ArgumentParser

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Say nothing on stderr but errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say more on stderr.")
    var verbose = false
}
