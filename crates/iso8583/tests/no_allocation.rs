//! What a message costs on the hot path: no allocation, once the buffers are there.
//! Never a time. Guards: reading, forwarding and answering stay out of the allocator.

mod common;

use bytes::BytesMut;
use common::{DEFAULTS, ISO, UNIONPAY, message, ours};
use iso8583::{CanonDefaults, Index, Reply, decode, forward, request, write_reply};
use terms::{ResponseCode, Text};

/// Allocations of one run, after one that may fill the buffers.
fn allocations(mut run: impl FnMut()) -> u64 {
    run();
    allocation_counter::measure(run).count_total
}

#[test]
fn a_message_is_read_forwarded_and_answered_without_an_allocation() {
    let dialects =
        [("unionpay-pos", UNIONPAY), ("iso87-ascii", ISO), ("iso87-binary", ISO), ("iso87-ebcdic", ISO)];
    let defaults = CanonDefaults { acquirer: Text::cut(DEFAULTS) };
    for (name, text) in dialects {
        let (dialect, bytes) = message(name, text);
        let (mut index, mut out) = (Index::new(), BytesMut::with_capacity(4_096));
        let read = allocations(|| {
            decode(&dialect, &bytes, &mut index).unwrap();
            request(&dialect, &defaults, &bytes, &index).unwrap();
        });
        assert_eq!(read, 0, "{name}: reading");
        for (to, _) in dialects {
            let target = iso8583::Dialect::builtin(to).unwrap();
            let forwarded = allocations(|| {
                out.clear();
                forward(&dialect, &bytes, &index, &target, &ours(), &mut out).unwrap();
            });
            assert_eq!(forwarded, 0, "{name}: forwarding to {to}");
        }
        let answered = allocations(|| {
            out.clear();
            write_reply(&dialect, &bytes, &index, &Reply::new(ResponseCode::of("51")), &mut out).unwrap();
        });
        assert_eq!(answered, 0, "{name}: answering");
    }
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8]))) > 0, "the counter counts");
}
