//! What a transaction costs the committer: two records of 190 and 64 bytes and one sealed card number, in frames of 512
//! transactions, on a disk that forgets or in a directory.
//!
//! `cargo run --release -p journal --example committer_cost -- [DIR]`

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use journal::testing::{Ledger, NullDisk, ToySeal};
use journal::{Class, Commit, Disk, Frame, Options, RealDisk};

const TRANSACTIONS: u64 = 3_000_000;
const PER_FRAME: u64 = 512;
const FRAMES: usize = 3;

fn main() -> Result<(), journal::Fault> {
    let dir = std::env::args().nth(1);
    let disk: Arc<dyn Disk> = if dir.is_some() { Arc::new(RealDisk) } else { Arc::new(NullDisk::default()) };
    for key in [
        None,
        Some((|_, payload| payload.first_chunk().map(|key| u64::from_le_bytes(*key))) as journal::KeyOf),
    ] {
        let name = format!("cost-{}", key.is_some());
        let dir =
            dir.as_ref().map_or_else(|| name.clone().into(), |dir| std::path::Path::new(dir).join(&name));
        let options = Options { key, ..Options::new(dir) };
        let (journal, _) = journal::open(options, disk.clone(), Arc::new(ToySeal), &mut Ledger::default())?;
        let this = std::thread::current();
        let lane = journal.lane(0, Arc::new(move || this.unpark()));
        let mut frames: Vec<Frame> = (0..FRAMES).map(|_| Frame::new()).collect();
        let (started, mut submitted, mut done) = (Instant::now(), 0, 0);
        let mut filling = 0;
        while done < TRANSACTIONS {
            while submitted < TRANSACTIONS
                && let Some(mut frame) = frames.pop()
            {
                let begun = Instant::now();
                fill(&mut frame, submitted);
                filling += begun.elapsed().as_nanos();
                submitted += PER_FRAME;
                lane.submit(frame, Class::Normal);
            }
            match lane.take() {
                Some(Commit::Durable(committed)) => {
                    done += committed.tokens().count() as u64 / 2;
                    frames.push(committed.into_frame());
                }
                Some(_) => return Err(journal::Fault::Stopped),
                None => std::thread::park(),
            }
        }
        let stats = journal.stats();
        let nanos = started.elapsed().as_nanos() / u128::from(done);
        println!(
            "keys {}: {nanos} ns a transaction from end to end, {} of them filling frames, {} transactions a commit, {} bytes each",
            key.is_some(),
            filling / u128::from(done),
            done / stats.commits.load(Relaxed).max(1),
            stats.bytes.load(Relaxed) / done,
        );
        report_thread_time();
        journal.close()?;
    }
    Ok(())
}

fn fill(frame: &mut Frame, first: u64) {
    for token in first..first + PER_FRAME {
        let mut payload = [0x5a; 190];
        payload[..8].copy_from_slice(&token.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        frame.append(1, token, Some(&payload[..10]), |out| out.extend_from_slice(&payload));
        frame.append(2, token, None, |out| out.extend_from_slice(&payload[..64]));
    }
}

/// Processor time per thread, as the kernel counts it (proc(5), fields 14 and 15 of `stat`, in ticks of 10 ms).
fn report_thread_time() {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return };
    for task in tasks.flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let name = stat.split(['(', ')']).nth(1).unwrap_or("?").to_owned();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
        let (user, system) = (ticks(11) * 10_000_000 / TRANSACTIONS, ticks(12) * 10_000_000 / TRANSACTIONS);
        println!("  {name}: {user} ns user, {system} ns system a transaction");
    }
}
