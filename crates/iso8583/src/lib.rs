//! Frames to messages and back; a dialect is data
