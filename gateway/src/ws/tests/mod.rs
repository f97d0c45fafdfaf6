//! Claims about the sockets.
