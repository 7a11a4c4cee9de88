//! Failed syncs and full disks: the first ends the journal, the second does not, and neither acknowledges too much.

mod common;

use common::{frame, is_prefix, numbers, open, small};
use journal::testing::{AfterFailedSync, Crash, FakeDisk};
use journal::{Class, Commit, Fault, Frame, Options};

/// Commits until a frame does not become durable; gives the records acknowledged.
fn commit_until_failure(desk: &common::Desk) -> usize {
    let mut acknowledged = 0;
    for first in (0..40).step_by(2) {
        match desk.commit(frame(first..first + 2), Class::Normal) {
            Commit::Durable(_) => acknowledged = first as usize + 2,
            Commit::Failed(back) => {
                assert_eq!(back.tokens().map(|(token, _)| token).collect::<Vec<_>>(), [first, first + 1]);
                break;
            }
            Commit::Full(_) => panic!("a failed sync is not a full disk"),
        }
    }
    acknowledged
}

fn fails_and_recovers(arm: impl Fn(&FakeDisk), what: &str) -> bool {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    arm(&disk);
    let acknowledged = commit_until_failure(&desk);
    let failed = desk.journal.stats().is_failed();
    disk.heal();
    if failed {
        let after = desk.commit(frame(90..91), Class::Owed);
        assert!(matches!(after, Commit::Failed(_)), "{what}: nothing is acknowledged after a failure");
        assert!(matches!(desk.close(), Err(Fault::Stopped)), "{what}: no clean mark");
    } else {
        drop(desk);
    }
    for crash in [Crash::DropAll, Crash::KeepAll, Crash::Scatter { seed: 77_123 }] {
        let (_, ledger, recovery) = open(&disk.after(crash), small()).unwrap();
        let found = numbers(&ledger);
        assert!(
            is_prefix(&found) && found.len() >= acknowledged && !recovery.was_clean,
            "{what}, {crash:?}: {found:?}"
        );
    }
    failed
}

#[test]
fn a_sync_fails_at_every_call() {
    let failed =
        (0..40).filter(|k| fails_and_recovers(|disk| disk.fail_sync_after(*k), &format!("sync {k}")));
    assert!(failed.count() > 20);
}

#[test]
fn a_write_fails_at_every_call() {
    let failed =
        (0..40).filter(|k| fails_and_recovers(|disk| disk.fail_write_after(*k), &format!("write {k}")));
    assert!(failed.count() > 20);
}

/// Three page caches, and afterwards a restart of the process alone or of the machine.
#[test]
fn one_sync_fails_at_every_call_and_the_others_succeed() {
    let mut failed = 0;
    let caches = [
        AfterFailedSync::Kept,
        AfterFailedSync::Lost,
        AfterFailedSync::Partly { seed: 3 },
        AfterFailedSync::Partly { seed: 9 },
    ];
    for (k, cache) in (0..36).flat_map(|k| caches.map(|cache| (k, cache))) {
        let what = format!("sync {k}, {cache:?}");
        let disk = FakeDisk::new();
        let (desk, ..) = open(&disk, small()).unwrap();
        disk.fail_one_sync(k, cache);
        let acknowledged = commit_until_failure(&desk);
        if desk.journal.stats().is_failed() {
            failed += 1;
            let after = desk.commit(frame(90..91), Class::Owed);
            assert!(
                matches!(after, Commit::Failed(_)),
                "{what}: the next sync would succeed, and prove nothing"
            );
            assert!(matches!(desk.close(), Err(Fault::Stopped)), "{what}: no clean mark");
        } else {
            drop(desk);
        }
        for crash in [None, Some(Crash::KeepAll), Some(Crash::DropAll), Some(Crash::Scatter { seed: k })] {
            // Without a crash the cache is as the failed sync left it.
            let disk = crash.map_or_else(|| disk.image(), |crash| disk.after(crash));
            let (_, ledger, _) =
                open(&disk, small()).unwrap_or_else(|fault| panic!("{what}, {crash:?}: {fault}"));
            let found = numbers(&ledger);
            assert!(is_prefix(&found) && found.len() >= acknowledged, "{what}, {crash:?}: {found:?}");
            // What this start counts as durable is there after a power cut as well.
            let (_, again, _) = open(&disk.after(Crash::DropAll), small()).unwrap();
            assert!(numbers(&again).len() >= found.len(), "{what}, {crash:?}: {} records", again.lines.len());
        }
    }
    assert!(failed > 60, "{failed} runs in which the committer met the failure");
}

#[test]
fn an_open_fails_at_every_sync_and_the_next_one_succeeds() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    let acknowledged = commit_until_failure(&desk);
    drop(desk);
    for k in 0..4 {
        let disk = disk.after(Crash::KeepAll);
        disk.fail_sync_after(k);
        drop(open(&disk, small()));
        disk.heal();
        let (_, ledger, _) = open(&disk.after(Crash::DropAll), small()).unwrap();
        assert_eq!(numbers(&ledger).len(), acknowledged, "sync {k} of the open");
    }
}

#[test]
fn a_full_disk_refuses_new_business_and_serves_what_is_owed() {
    let disk = FakeDisk::new();
    let options = || Options { segment_bytes: 16384, reserve_bytes: 4096, ..small() };
    let (desk, ..) = open(&disk, options()).unwrap();
    let mut next = 0;
    let mut durable = |class| match desk.commit(frame(next..next + 2), class) {
        Commit::Durable(_) => {
            next += 2;
            true
        }
        Commit::Full(back) => {
            assert_eq!(back.records(), 2, "the frame comes back as it was");
            false
        }
        Commit::Failed(_) => panic!("a full disk is no failure"),
    };
    while disk.paths().iter().filter(|path| path.extension().is_some_and(|end| end == "journal")).count() < 2
    {
        assert!(durable(Class::Normal), "there is room until the second segment is prepared");
    }
    disk.set_capacity(Some(2 * 16384 + 8192));
    while durable(Class::Normal) {}
    let stats = desk.journal.stats();
    assert!(stats.is_full() && !stats.is_failed());
    let owed = (0..100).take_while(|_| durable(Class::Owed)).count();
    assert!((4..=8).contains(&owed), "{owed} frames from a reserve of 4096 bytes");
    assert!(!durable(Class::Normal) && !durable(Class::Owed), "the reserve is used up");
    disk.set_capacity(None);
    assert!(durable(Class::Normal), "service resumes when space returns");
    assert!(!stats.is_full() && !stats.is_failed());
    desk.close().unwrap();
    let (_, ledger, _) = open(&disk, options()).unwrap();
    assert_eq!(numbers(&ledger), Vec::from_iter(0..next));
}

#[test]
fn a_record_longer_than_a_segment_is_refused_and_the_next_is_not() {
    let (desk, ..) = open(&FakeDisk::new(), small()).unwrap();
    let mut long = Frame::new();
    long.append(1, 77, None, |out| out.resize(out.len() + 5000, 1));
    let Commit::Full(back) = desk.commit(long, Class::Owed) else { panic!("it cannot fit") };
    assert_eq!(back.tokens().collect::<Vec<_>>(), [(77, 1)]);
    desk.commit_durable(frame(0..2));
}
