//! The archive holds what the journal says, whenever it was killed, and finds it again.
//! Never sleeps. Guards: killed at any point, the same rows as a rebuild; damage, another journal and a lost tail lead to one.

mod book;
mod lives;
mod reading;
