//! Claims about the live board.
