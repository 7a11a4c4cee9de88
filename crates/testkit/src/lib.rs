//! Builders, seeded faults, fake disk, clock
