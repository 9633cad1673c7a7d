// Placeholder: the model comes here.
