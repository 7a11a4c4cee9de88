//! Issuers from outside: stories told as ledgers, every mood, sockets with and without TLS, noise.

mod desk;
mod files;
mod moods;
mod noise;
mod process;
mod served;
mod stories;
