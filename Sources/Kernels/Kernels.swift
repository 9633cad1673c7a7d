// Tensor views, thread pool, instruction sets and the Swift face of the C kernels.
