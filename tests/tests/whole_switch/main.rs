//! The whole switch, seen from outside: over sockets, by signals, through files.
//! Never asserts how long something took. Guards: the promises that no single room can keep alone.

mod archive;
mod books;
mod breaker;
mod clock;
mod complaints;
mod counted;
mod crowd;
mod days;
mod deployed;
mod disk;
mod explained;
mod faults;
mod high_water;
mod kill_nine;
mod lines;
mod load;
mod memory;
mod million;
mod notices;
mod operations;
mod owed;
mod process;
mod promises;
mod readme;
mod recants;
mod refusals;
mod reload;
mod simulated;
mod stand_in;
mod stories;
mod two_tills;
