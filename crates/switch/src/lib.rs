//! The binary pointsman: configuration, command line, sockets, wiring
