//! The money state machine against a shell, a journal and issuers of memory.

mod advices;
mod bad_days;
mod bounds;
mod builders;
mod cells;
mod chaos;
mod contradictions;
mod crowd;
mod desk;
mod echoes;
mod flows;
mod full_disk;
mod notices;
mod parts;
mod quarantine;
mod recants;
mod script;
mod script_results;
mod shelf;
mod stand_in;
mod stories;
mod takebacks;
mod world;
