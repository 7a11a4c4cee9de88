//! Every interleaving of workers handing batches to the committer, and of a close.
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p journal --test loom_handoff --release` and a target directory of its own.
#![cfg(loom)]

use journal::handoff::Bell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// How many batches wait. The look is relaxed, as weak as a queue could be: the bell's fences must do the work.
#[derive(Default)]
struct Queue(AtomicUsize);

impl Queue {
    fn push(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
    fn drain(&self) -> usize {
        self.0.swap(0, Ordering::Acquire)
    }
    fn has_work(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// `preemptions` bounds how often a running thread is interrupted; `None` walks every interleaving.
fn all_is_drained(workers: usize, batches: usize, preemptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let bell = Arc::new(Bell::new());
        let queue = Arc::new(Queue::default());
        let committer = {
            let (bell, queue) = (bell.clone(), queue.clone());
            thread::spawn(move || {
                let mut drained = 0;
                while drained < workers * batches {
                    match queue.drain() {
                        0 => bell.rest_until(|| queue.has_work()),
                        count => drained += count,
                    }
                }
            })
        };
        let sleeper = committer.thread().clone();
        let submit = move |bell: &Bell, queue: &Queue, sleeper: &thread::Thread| {
            for _ in 0..batches {
                queue.push();
                bell.ring(sleeper);
            }
        };
        let others: Vec<_> = (1..workers)
            .map(|_| {
                let (bell, queue, sleeper) = (bell.clone(), queue.clone(), sleeper.clone());
                thread::spawn(move || submit(&bell, &queue, &sleeper))
            })
            .collect();
        submit(&bell, &queue, &sleeper);
        others.into_iter().for_each(|worker| worker.join().unwrap());
        committer.join().unwrap();
    });
}

/// Loom reports a deadlock if the committer sleeps beside a full queue.
#[test]
fn one_worker_two_batches() {
    all_is_drained(1, 2, None);
}

#[test]
fn one_worker_three_batches() {
    all_is_drained(1, 3, Some(3));
}

/// Three threads: unbounded this takes hours.
#[test]
fn two_workers_one_batch_each() {
    all_is_drained(2, 1, Some(3));
}

#[test]
fn a_batch_and_a_close() {
    loom::model(|| {
        let bell = Arc::new(Bell::new());
        let submitted = Arc::new(AtomicUsize::new(0));
        let closing = Arc::new(AtomicBool::new(false));
        let committer = {
            let (bell, submitted, closing) = (bell.clone(), submitted.clone(), closing.clone());
            thread::spawn(move || {
                bell.rest_until(|| submitted.load(Ordering::Relaxed) == 1 && closing.load(Ordering::Relaxed));
            })
        };
        let sleeper = committer.thread().clone();
        let worker = {
            let (bell, submitted, sleeper) = (bell.clone(), submitted.clone(), sleeper.clone());
            thread::spawn(move || {
                submitted.store(1, Ordering::Relaxed);
                bell.ring(&sleeper);
            })
        };
        closing.store(true, Ordering::Relaxed);
        bell.ring(&sleeper);
        worker.join().unwrap();
        committer.join().unwrap();
    });
}
