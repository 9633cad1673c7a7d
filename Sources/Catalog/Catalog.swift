// The model store.
