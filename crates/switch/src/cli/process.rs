//! What the process does to itself before it touches a key or a card number.
//! Never undone. Guards: no core dump, no debugger of the same user, unless somebody asked to profile.

use super::Failure;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Turns core dumps off. A limit of 0 does not stop dumps that are piped to a program (core(5)): so the process is not
/// dumpable at all, which also keeps debuggers of the same user out.
pub(super) fn no_core_dumps(allow_profiling: bool) -> Result<(), Failure> {
    if allow_profiling {
        return Ok(());
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).map_err(|fault| Failure::because("cannot turn core dumps off", fault))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|fault| Failure::because("cannot turn core dumps off", fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn nothing_of_the_process_reaches_a_dump() {
        no_core_dumps(false).unwrap();
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
