// The Unix-socket server.
