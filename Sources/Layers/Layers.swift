// Building blocks of networks.
