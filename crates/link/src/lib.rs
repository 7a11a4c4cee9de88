//! Sessions without I/O: bytes and time in, bytes and timers out
