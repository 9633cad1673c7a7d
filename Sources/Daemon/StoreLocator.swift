package import Catalog
package import Graph
package import Stages

/// Finds models in the store, or where a pipeline file points.
package struct StoreLocator: ModelLocator {
    private let store: ModelStore

    package init(_ store: ModelStore) { self.store = store }

    package func locate(_ reference: ModelReference) throws -> String {
        do {
            return try store.resolve(reference.name).path
        } catch let error as CatalogError {
            // A path is relative to the pipeline file.
            if reference.path != reference.name, let found = try? store.resolve(reference.path) { return found.path }
            throw error
        }
    }
}
